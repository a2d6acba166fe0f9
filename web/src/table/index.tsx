/** The table of iterations, as the page of an experiment mounts it. */
export { Iterations } from "./iterations.tsx";
