// What both clients here need: packages from where the tests installed them, a microphone, patience, a report.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

export const scenario = JSON.parse(process.argv[2]);
export const load = createRequire(`${scenario.packages}/`);
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const FRAME = 960; // bytes of 20 ms

export async function say(file, send) {
  const pcm = readFileSync(file);
  for (let start = 0; start < pcm.length; start += FRAME) {
    send(pcm.subarray(start, start + FRAME));
    await sleep(20);
  }
}

export async function until(what, isSo) {
  for (let waited = 0; !isSo(); waited += 20) {
    if (waited > 15000) throw new Error(`not within 15 s: ${what}`);
    await sleep(20);
  }
}

export function report(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
