/** The last lines of the console and the last requests, for the report. */
import { CONSOLE_MAX, REQUESTS_MAX } from "./constants";
import type { TrackedRequest } from "./detect/track";
import type { ConsoleLine } from "./types";

export class Log {
  readonly console: ConsoleLine[] = [];
  readonly requests: TrackedRequest[] = [];

  line(line: ConsoleLine): void {
    this.console.push(line);
    this.console.splice(0, this.console.length - CONSOLE_MAX);
  }

  request(request: TrackedRequest): void {
    this.requests.push(request);
    this.requests.splice(0, this.requests.length - REQUESTS_MAX);
  }
}
