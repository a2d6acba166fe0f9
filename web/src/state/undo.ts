/** For how many days this server keeps deleted objects; 0 without a trash, undefined where the page does not know. */
const written = document.documentElement.dataset.undoDays;

export const UNDO_DAYS: number | undefined = written ? Number(written) : undefined;
