/** Accounts of the server itself, which are no users: see `chalicelib/services/capture/machine.py`. */
export const MACHINES: ReadonlyMap<string, string> = new Map([["sagemaker-capture", "SageMaker"]]);
