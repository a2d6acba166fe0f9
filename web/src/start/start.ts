/** The first script. It asks for the page's code and data while the code of all pages is on its way. */
import { startPage } from "./page.ts";

try {
  startPage();
} catch {
  // Preferences may be of another program. The page itself asks, and shows what is wrong.
}
