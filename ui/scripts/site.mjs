// The window's page with made-up people behind it, served as the desktop shell serves it, in a headless browser.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Another browser than the system's own can be named. */
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Gives `work` a function that opens a page in a scenario; afterwards everything is stopped. */
export async function withSite(work) {
  const outDir = "look/site";
  await build({ root, mode: "fake", logLevel: "warn", build: { outDir, emptyOutDir: true } });
  const shell = JSON.parse(await readFile(new URL("../../tauri.conf.json", import.meta.url), "utf8"));
  const server = await preview({
    root,
    build: { outDir },
    preview: {
      host: "127.0.0.1",
      port: 0,
      headers: { "Content-Security-Policy": shell.app.security.csp },
    },
  });
  const browser = await chromium.launch({ executablePath: BROWSER, args: QUIET });
  try {
    await work((options) => openPage(browser, server.resolvedUrls.local[0], options));
  } finally {
    await browser.close();
    await server.close();
  }
}

/** A page in its own context; what goes wrong in it is gathered in `page.errors`. */
async function openPage(browser, url, { scenario, theme = "light" }) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: theme,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.errors.push(message.text());
  });
  // The shell freezes it too.
  await page.addInitScript(() => Object.freeze(Object.prototype));
  await page.goto(`${url}?fake=${scenario}`);
  await page.waitForSelector("#app > *");
  return page;
}

/**
 * Waits until the page stands still: neither its elements nor where they stand have changed for some frames, and longer
 * than any of the window's own delays that a test looks at.
 */
export const settled = (page) =>
  page.evaluate(
    () =>
      new Promise((done) => {
        const STILL_FRAMES = 12;
        const STILL_MS = 150;
        const look = () =>
          [...document.querySelectorAll("[data-testid=conversation], [data-testid=conversation] article")]
            .map((element) => [element.scrollTop, element.scrollHeight, element.getBoundingClientRect().top])
            .concat(document.body.innerHTML.length)
            .join();
        let [seen, since, frames] = [look(), performance.now(), 0];
        const frame = () => {
          const now = look();
          if (now !== seen) [seen, since, frames] = [now, performance.now(), 0];
          frames += 1;
          if (frames > STILL_FRAMES && performance.now() - since > STILL_MS) done();
          else requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      }),
  );
