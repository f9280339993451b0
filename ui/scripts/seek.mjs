// What isn't kept on this computer: found on the server, and shown where it stands.

import assert from "node:assert/strict";
import { commands, core, search, test } from "./kit.mjs";
import { settled } from "./site.mjs";

const beyond = (page, text) => page.locator("[data-beyond]", { hasText: text });
const shownSeqs = (page) =>
  page.locator("article[data-seq]").evaluateAll((items) => items.map(({ dataset }) => Number(dataset.seq)));
const scrolled = (page, to) =>
  page.getByTestId("conversation").evaluate((list, top) => list.scrollTo({ top }), to);
async function seek(page) {
  await search(page).fill("inhaler");
  await beyond(page, "Walter").waitFor();
}

async function isInView(page, item) {
  const [box, list] = [await item.boundingBox(), await page.getByTestId("conversation").boundingBox()];
  return box.y >= list.y && box.y + box.height <= list.y + list.height;
}

test(
  "adds what the server finds below what is here, and moves neither that nor the keys",
  "archive",
  async (page) => {
    await search(page).fill("inhaler");
    await page.getByTestId("result").first().waitFor();
    await search(page).press("ArrowUp");
    const chosen = await search(page).getAttribute("aria-activedescendant");
    const first = page.getByTestId("result").first();
    const [id, { y }] = [await first.getAttribute("id"), await first.boundingBox()];
    assert.equal(await beyond(page, "inhaler").count(), 0);
    await page.getByTestId("search-server").getByText("Asking the server").waitFor();
    await beyond(page, "Walter").waitFor();
    assert.equal(await first.getAttribute("id"), id);
    assert.equal((await first.boundingBox()).y, y);
    assert.equal(await search(page).getAttribute("aria-activedescendant"), chosen);
    assert.ok(await page.getByText("From the server: not kept on this computer").isVisible());
    // By the keys, through the one list and the other.
    await search(page).press("PageDown");
    const last = await search(page).getAttribute("aria-activedescendant");
    assert.ok(await page.locator(`#${last}[data-beyond]`).isVisible());
  },
);

test(
  "says that the server isn't searched without a network, and searches once there is one",
  "archive-offline",
  async (page) => {
    await search(page).fill("inhaler");
    await page.getByText("Offline: what is not on this computer").waitFor();
    assert.ok((await page.getByTestId("result").count()) > 0);
    await page.getByRole("button", { name: "Try now" }).click();
    await beyond(page, "Walter").waitFor();
  },
);

test("asks a server that didn't answer again", "archive", async (page) => {
  await core(page, (fake) => (fake.beyond.fault = { reach: "silent" }));
  await search(page).fill("inhaler");
  await page.getByText("did not answer").waitFor();
  await page.evaluate(() => (window.fakeCore.beyond.fault = null));
  await page.getByTestId("search-server").getByRole("button", { name: "Try again" }).click();
  await beyond(page, "Walter").waitFor();
  assert.equal((await commands(page, "search")).length, 2);
});

test(
  "jumps to what isn't kept, with its surroundings, goes on both ways, and back to the newest",
  "archive",
  async (page) => {
    await seek(page);
    await beyond(page, "350th").click();
    const target = page.locator("[data-target]");
    await target.waitFor();
    await settled(page);
    assert.equal(await target.getAttribute("data-seq"), "350");
    assert.ok(await isInView(page, target));
    assert.deepEqual(
      (await commands(page, "look")).map(({ at, from, to }) => [at, from, to]),
      [[350, 250, 449]],
    );
    assert.equal(
      await page.getByTestId("composer").count(),
      0,
      "nobody answers what they don't see the end of",
    );
    assert.equal((await commands(page, "mark_read")).length, 0);

    await scrolled(page, 0);
    await page.waitForFunction(() => document.querySelector("[data-region=messages]").scrollTop > 1000);
    await settled(page);
    assert.equal((await commands(page, "look")).at(-1).from, 50);
    assert.ok((await shownSeqs(page)).includes(250), "and one stays where one was");
    await scrolled(page, 1e9);
    await page.waitForFunction(() => window.commands.filter(({ command }) => command === "look").length >= 3);
    assert.ok((await commands(page, "look")).at(-1).to > 600);

    await page.getByTestId("to-newest").click();
    await page.getByTestId("composer").waitFor();
    await settled(page);
    assert.ok((await shownSeqs(page)).includes(1200));
    assert.equal(await target.count(), 0);
  },
);

test("shows a conversation that isn't kept to be read alone", "archive", async (page) => {
  await seek(page);
  await beyond(page, "Walter").click();
  await page.getByText("This conversation is not kept on this computer: it was closed").waitFor();
  await settled(page);
  assert.deepEqual(await shownSeqs(page), [1, 2, 3]);
  assert.equal(await page.getByTestId("composer").count(), 0);
  assert.equal((await commands(page, "mark_read")).length, 0);
});

test(
  "says that a message isn't here without a network, and shows it once there is one",
  "archive",
  async (page) => {
    await seek(page);
    // What was found before stays to be looked at.
    await page.evaluate(() => {
      window.fakeCore.link = { link: "offline", since: 0, next_try: Date.now() + 60_000, trouble: "closed" };
    });
    await beyond(page, "350th").click();
    await page.getByText("not kept on this computer. It will be shown when the connection is back").waitFor();
    await page.getByRole("button", { name: "Try now" }).click();
    await page.locator("[data-target]").waitFor();
    await settled(page);
    assert.ok(await isInView(page, page.locator("[data-target]")));
  },
);

test("jumps within what is kept without the server", "archive-offline", async (page) => {
  await search(page).fill("day 905");
  await page.getByTestId("result").first().click();
  await page.locator("[data-target]").waitFor();
  await settled(page);
  assert.equal(await page.locator("[data-target]").getAttribute("data-seq"), "905");
  assert.ok(await isInView(page, page.locator("[data-target]")));
  await page.getByText("More is not kept on this computer").waitFor();
});
