/** The first script. It asks for the page's code and data while the code of all pages is on its way. */
import { startPage } from "./page.ts";

startPage();
