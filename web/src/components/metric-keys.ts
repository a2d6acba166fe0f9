/** What the key of a metric says about it. */

/** The client logs the load of the machine below this prefix. */
export function isOfMachine(key: string): boolean {
  return key.startsWith("system/");
}

const LESS_IS_BETTER = /(^|[^a-z])(loss|error|err|perplexity|ppl|mse|rmse|mae|mape|nll|wer|cer|fid)([^a-z]|$)/i;

/** True for a loss or an error, as people name them: its best value is the least. */
export function isLessBetter(key: string): boolean {
  return LESS_IS_BETTER.test(key);
}
