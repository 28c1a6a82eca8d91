/** An error with one of AWS's own codes. The API's errors have theirs in `name`, too. */
export class ApiError extends Error {
  constructor(code: string, message: string) {
    super(message);
    this.name = code;
  }
}
