// Takes a picture of every screen, light and dark, and has axe-core judge each. Pictures: look/*.png.

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { settled, withSite } from "./site.mjs";

const THEMES = ["light", "dark"];
/** The shell's smallest and first size, and a whole screen. */
const SIZES = { least: [880, 560], small: [1280, 800], large: [1920, 1080] };

const press = async (page, menuitem) => {
  await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
  await page.getByRole("menuitem", { name: menuitem }).click();
  await page.getByRole("dialog").waitFor();
};

const settings = async (page) => {
  await page.keyboard.press("Control+,");
  await page.getByTestId("settings").waitFor();
};

/** Searches for what stands here and on the server. */
const seek = async (page) => {
  await page.getByTestId("search").fill("inhaler");
  await page.getByTestId("found-beyond").getByRole("option").first().waitFor();
};

const open = (name) => (page) => page.getByRole("option", { name }).click();

/** Each screen: the scenario, and how one gets there. */
const SCREENS = {
  signin: ["signin"],
  "signin-wrong": [
    "signin",
    async (page) => {
      await page.getByTestId("signin-server").fill("https://chat.riverside.example");
      await page.getByTestId("signin-token").fill("stale");
      await page.getByTestId("signin-submit").click();
      await page.getByText("has expired").waitFor();
    },
  ],
  empty: ["empty"],
  inbox: ["desk"],
  "inbox-keys": ["desk", (page) => page.getByTestId("inbox").focus()],
  "inbox-held": [
    "desk",
    async (page) => {
      await page.getByTestId("inbox-row").nth(3).hover();
      await page.evaluate(() => {
        for (const talk of window.fakeCore.talks.slice(6, 9)) talk.says(0, "One more thing, please.");
        window.fakeCore.publish();
      });
      await page.getByText("3 new, held").waitFor();
    },
  ],
  conversation: [
    "typing",
    async (page) => {
      await open("Martha")(page);
      await page.getByTestId("composer").fill("Does it spread anywhere, for example to your arm");
    },
  ],
  kinds: ["desk", open("Tomasz")],
  held: [
    "desk",
    async (page) => {
      await open("Andre")(page);
      await page.getByTestId("composer").fill("Yes, with food, and drink enough.");
      await page.getByTestId("composer").press("Enter");
      await page.getByRole("button", { name: "Undo" }).waitFor();
    },
  ],
  offline: ["offline", open("Martha")],
  refused: ["refused", open("Martha")],
  search: [
    "desk",
    async (page) => {
      await page.getByTestId("search").fill("the");
      await page.getByTestId("result").first().waitFor();
      await page.getByTestId("search").press("ArrowDown");
      await page.getByTestId("search").press("Enter");
      await page.locator("[data-target]").waitFor();
    },
  ],
  "search-nothing": [
    "desk",
    async (page) => {
      await page.getByTestId("search").fill("xylophone from:me");
      await page.getByText("Nothing found").waitFor();
    },
  ],
  "search-server": ["archive", (page) => seek(page)],
  "search-server-keys": [
    "archive",
    async (page) => {
      await seek(page);
      for (let i = 0; i < 3; i++) await page.getByTestId("search").press("ArrowDown");
    },
  ],
  "search-offline": [
    "archive-offline",
    async (page) => {
      await page.getByTestId("search").fill("inhaler");
      await page.getByText("Offline: what is not").waitFor();
    },
  ],
  "search-silent": [
    "archive",
    async (page) => {
      await page.evaluate(() => (window.fakeCore.beyond.fault = { reach: "silent" }));
      await page.getByTestId("search").fill("inhaler");
      await page.getByText("did not answer").waitFor();
    },
  ],
  "jump-server": [
    "archive",
    async (page) => {
      await seek(page);
      await page.locator("[data-beyond]", { hasText: "350th" }).click();
      await page.locator("[data-target]").waitFor();
    },
  ],
  "jump-unkept": [
    "archive",
    async (page) => {
      await seek(page);
      await page.locator("[data-beyond]", { hasText: "Walter" }).click();
      await page.locator("[data-target]").waitFor();
    },
  ],
  "jump-fetching": [
    "archive",
    async (page) => {
      await seek(page);
      await page.evaluate(() => (window.fakeCore.beyond.gives = false));
      await page.locator("[data-beyond]", { hasText: "350th" }).click();
      await page.getByTestId("missing").waitFor();
    },
  ],
  "jump-offline": [
    "archive",
    async (page) => {
      await seek(page);
      await page.locator("[data-beyond]", { hasText: "350th" }).click({ trial: true });
      await page.evaluate(() => {
        const [since, next_try] = [Date.now() - 60_000, Date.now() + 20_000];
        window.fakeCore.link = { link: "offline", since, next_try, trouble: "closed" };
      });
      await page.locator("[data-beyond]", { hasText: "350th" }).click();
      await page.getByText("will be shown when the connection is back").waitFor();
    },
  ],
  link: [
    "desk",
    async (page) => {
      await open("Tomasz")(page);
      await settled(page);
      // In the smallest window it stands further up.
      await page.getByTestId("conversation").evaluate((list) => list.scrollTo({ top: 0 }));
      await page.getByRole("button", { name: "invoice" }).click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  outbox: [
    "refused",
    async (page) => {
      await page.getByTestId("outbox-open").click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  menu: [
    "desk",
    async (page) => {
      await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
      await page.getByRole("menu").waitFor();
    },
  ],
  "sign-out": [
    "refused",
    async (page) => {
      await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  "token-expired": [
    "token-expired",
    async (page) => {
      await open("Martha")(page);
      await page.getByRole("button", { name: "Sign in again" }).click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  files: ["files", open("Ines")],
  "files-earlier": [
    "files",
    async (page) => {
      await open("Ines")(page);
      await settled(page);
      await page.getByTestId("conversation").evaluate((list) => list.scrollTo({ top: 0 }));
    },
  ],
  "files-offline": [
    "files-offline",
    async (page) => {
      await open("Ines")(page);
      await settled(page);
      await page.getByText("Not on this computer yet").scrollIntoViewIfNeeded();
    },
  ],
  "files-attached": ["attached", open("Ines")],
  "files-coming": [
    "attached",
    async (page) => {
      await open("Ines")(page);
      await page.evaluate(() => {
        const clipboardData = new DataTransfer();
        const add = (name, size) =>
          clipboardData.items.add(new File(["x".repeat(size)], name, { type: "image/png" }));
        add("screenshot.png", 2_000_000);
        add("another.png", 300_000);
        add("empty.png", 0);
        const event = new ClipboardEvent("paste", { bubbles: true, clipboardData });
        document.querySelector("[data-testid=composer]").dispatchEvent(event);
      });
      await page.getByTestId("chip-coming").first().waitFor();
    },
  ],
  "files-drop": [
    "files",
    async (page) => {
      await open("Ines")(page);
      await settled(page);
      await page.evaluate(() => {
        // As long as somebody holds files over the window, it is told so.
        setInterval(() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["x"], "rash.png"));
          const over = document.querySelector("[data-testid=drop]") ?? document.querySelector("main");
          over.dispatchEvent(new DragEvent("dragover", { bubbles: true, cancelable: true, dataTransfer }));
        }, 100);
      });
      await page.getByTestId("drop").waitFor();
    },
  ],
  "files-large": [
    "files",
    async (page) => {
      await open("Ines")(page);
      await settled(page);
      await page.getByRole("button", { name: "mole.jpg", exact: true }).click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  "too-long": [
    "desk",
    async (page) => {
      await open("Martha")(page);
      await page.getByTestId("composer").fill("Long words. ".repeat(1500));
    },
  ],
  big: ["big", open("Martha")],
  opening: ["opening", (page) => page.getByText("Opening…").waitFor()],
  metered: ["metered"],
  locked: ["locked"],
  "locked-session": ["locked-session"],
  "locked-wrong": [
    "locked-waiting",
    async (page) => {
      await page.getByTestId("unlock-passphrase").fill("three red apples");
      await page.getByTestId("unlock-submit").click();
      await page.getByText("not the passphrase").waitFor();
    },
  ],
  "locked-system": ["locked-system", (page) => page.getByTestId("system-unlock").isEnabled()],
  "locked-stranger": [
    "locked-stranger",
    async (page) => {
      await page.getByTestId("system-unlock").click();
      await page.getByText("didn’t recognise you").waitFor();
    },
  ],
  "locked-alone": ["locked-alone", (page) => page.getByTestId("no-system-unlock").waitFor()],
  settings: ["system", settings],
  "settings-organised": ["organised", settings],
  "settings-passphrase": ["can-lock", settings],
  forgot: [
    "locked-waiting",
    async (page) => {
      await page.getByTestId("leave").click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  expired: ["expired"],
  "expired-refused": [
    "expired",
    (page) =>
      page.evaluate(() => {
        window.fakeCore.link = { link: "refused", code: "expired" };
        window.fakeCore.publish();
      }),
  ],
  "closed-keychain": [
    "closed-keychain",
    async (page) => {
      await page.getByTestId("open-again").click();
      await page.getByText("Tried at").waitFor();
    },
  ],
  "closed-newer": ["closed-newer"],
  "closed-disk": ["closed-disk"],
  "no-keychain": ["no-keychain", open("Martha")],
  "no-keeping": ["no-keeping"],
  "can-lock": [
    "can-lock",
    async (page) => {
      await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
      await page.getByRole("menu").waitFor();
    },
  ],
  "passphrase-first": ["no-keychain", (page) => press(page, "Passphrase")],
  "passphrase-change": [
    "can-lock",
    async (page) => {
      await press(page, "Passphrase");
      await page.getByTestId("passphrase-current").fill("three red apples");
      await page.getByTestId("passphrase-new").fill("five green apples");
      await page.getByTestId("passphrase-again").fill("five green apples");
      await page.getByTestId("passphrase-submit").click();
      await page.getByText("not the passphrase").waitFor();
    },
  ],
  repaired: ["repaired", open("Martha")],
  salvaged: ["salvaged", open("Martha")],
  "set-aside": ["set-aside"],
};

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = fileURLToPath(new URL("../look", import.meta.url));
const wrong = [];
/** Screens whose names begin so; all when none are given. */
const wanted = process.argv.slice(2);
const screens = Object.entries(SCREENS).filter(
  ([name]) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)),
);

await mkdir(folder, { recursive: true });
await withSite(async (openPage) => {
  for (const [name, [scenario, steps]] of screens) {
    for (const theme of THEMES) {
      const page = await openPage({ scenario, theme });
      await steps?.(page);
      for (const [label, [width, height]] of Object.entries(SIZES)) {
        await page.setViewportSize({ width, height });
        await settled(page);
        await page.screenshot({ path: `${folder}/${name}-${theme}-${label}.png` });
      }
      await judge(page, `${name}-${theme}`);
      await page.context().close();
    }
  }
});

// The bundle that is shipped knows no made-up people.
const shipped = await build({
  root: fileURLToPath(new URL("..", import.meta.url)),
  logLevel: "warn",
  build: { write: false },
});
for (const { fileName, code = "" } of shipped.output) {
  if (/fakeCore|Martha/.test(code)) wrong.push(`${fileName} holds the made-up people`);
}

async function judge(page, screen) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  for (const { id, help, nodes } of violations) {
    const where = nodes.map((node) => `    ${node.html}\n    ${node.failureSummary}`);
    wrong.push(`${screen}: ${id}: ${help}\n${where.join("\n")}`);
  }
  wrong.push(...page.errors.map((error) => `${screen}: ${error}`));
}

console.log(wrong.join("\n") || `${screens.length} screens: nothing wrong`);
process.exitCode = wrong.length > 0 ? 1 : 0;
