// What the window does under somebody's hands, in a browser, over made-up people.

import assert from "node:assert/strict";
import { commands, composer, core, row, search, test, tests } from "./kit.mjs";
import { settled, withSite } from "./site.mjs";
import "./files.mjs";
import "./settings.mjs";
import "./seek.mjs";
import "./vault.mjs";

const names = (page) => page.locator(".row .name").allTextContents();
const log = (page) =>
  page.getByTestId("conversation").evaluate((list) => ({
    top: list.scrollTop,
    toEnd: list.scrollHeight - list.clientHeight - list.scrollTop,
  }));
/** Where an item stands in the window, in pixels. */
const topOf = (page, id) =>
  page.locator(`[data-id="${id}"]`).evaluate((item) => item.getBoundingClientRect().top);
const scrollTo = async (page, top) => {
  await page.getByTestId("conversation").evaluate((list, to) => list.scrollTo({ top: to }), top);
  await settled(page);
};

test("opens at what is new, and marks read what was in view", "desk", async (page) => {
  await row(page, "Tomasz").click();
  await settled(page);
  assert.ok((await log(page)).toEnd < 2);
  assert.ok(await page.getByTestId("conversation").getByText("I already took it this morning").isVisible());
  assert.deepEqual(
    (await commands(page, "mark_read")).map(({ upto }) => upto),
    [11],
  );
});

test("answers what stands on the screen, however fast one answers", "big", async (page) => {
  await row(page, "Martha").click();
  // Within the frame in which the conversation opens, before its list is placed.
  await page.evaluate(async () => {
    const area = () => document.querySelector("[data-testid=composer]");
    while (!area()) await new Promise((resolve) => queueMicrotask(resolve));
    area().value = "At once";
    area().dispatchEvent(new InputEvent("input", { bubbles: true }));
    area().dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  });
  await settled(page);
  assert.deepEqual(
    (await commands(page, "send")).map(({ text, seen }) => [text, seen]),
    [["At once", 10_000]],
  );
});

test("searches as one types, goes through what was found by keys, and jumps to it", "big", async (page) => {
  await page.keyboard.press("/");
  await page.keyboard.type("message 429");
  await page.getByTestId("result").first().waitFor();
  assert.ok(
    await page
      .getByTestId("search-sum")
      .getByText(/on this computer/)
      .isVisible(),
  );
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const id = await search(page).getAttribute("aria-activedescendant");
  await page.keyboard.press("Enter");
  await settled(page);
  const target = page.locator("[data-target]");
  assert.equal(`found-${await target.getAttribute("data-id")}`, id);
  const box = await target.boundingBox();
  const list = await page.getByTestId("conversation").boundingBox();
  assert.ok(box.y >= list.y && box.y + box.height <= list.y + list.height);
  // The keys stay where they are, for the next result.
  assert.ok(await search(page).evaluate((field) => field === document.activeElement));
  await page.keyboard.press("Escape");
  await settled(page);
  assert.equal(await search(page).inputValue(), "");
  assert.ok((await page.getByTestId("inbox-row").count()) > 0);
});

test("finds what comes while one searches", "desk", async (page) => {
  await search(page).fill("xylophone");
  await page.getByText("Nothing found").waitFor();
  await core(page, (fake) => fake.talks[2].says(0, "My xylophone broke"));
  assert.equal(await page.getByTestId("result").count(), 1);
});

test("stays at the end through a burst of messages of all lengths", "big", async (page) => {
  await row(page, "Martha").click();
  await settled(page);
  for (let i = 0; i < 12; i++) {
    await core(page, (fake, n) => fake.talks[0].says(0, "More. ".repeat(1 + ((n * 37) % 90))), i);
    assert.ok((await log(page)).toEnd < 2, `after message ${i}`);
  }
  assert.equal((await commands(page, "mark_read")).at(-1).upto, 10_012);
});

test("keeps still for a reader further up, and doesn't take the unseen for seen", "big", async (page) => {
  await row(page, "Martha").click();
  await settled(page);
  await scrollTo(page, (await log(page)).top - 1500);
  const id = await page.locator("article").nth(4).getAttribute("data-id");
  const before = await topOf(page, id);
  for (let i = 0; i < 3; i++) await core(page, (fake) => fake.talks[0].says(0, "Something new ".repeat(20)));
  assert.ok(Math.abs((await topOf(page, id)) - before) < 1);
  assert.equal((await commands(page, "mark_read")).filter(({ upto }) => upto > 10_000).length, 0);

  await composer(page).fill("An answer");
  await composer(page).press("Enter");
  await settled(page);
  assert.equal((await commands(page, "send"))[0].seen, 10_000);
  // One's own message is worth going to.
  assert.ok((await log(page)).toEnd < 2);
  assert.equal((await commands(page, "mark_read")).at(-1).upto >= 10_003, true);
});

test("says that there is more below, and goes there", "big", async (page) => {
  await row(page, "Martha").click();
  await settled(page);
  await scrollTo(page, (await log(page)).top - 1500);
  await core(page, (fake) => fake.talks[0].says(0, "Are you there?"));
  await page.getByRole("button", { name: "1 new message below" }).click();
  await settled(page);
  assert.ok((await log(page)).toEnd < 2);
  assert.equal(await page.getByText("new message below").count(), 0);
});

test("fetches older messages without a jump", "big", async (page) => {
  await row(page, "Martha").click();
  await settled(page);
  await scrollTo(page, 700);
  const id = await page.locator("article").nth(6).getAttribute("data-id");
  const before = await topOf(page, id);
  await scrollTo(page, 500);
  await page.waitForFunction(() => document.querySelector("[data-region=messages]").scrollTop > 2000);
  await settled(page);
  assert.ok(Math.abs((await topOf(page, id)) - before - 200) < 1);
  assert.equal((await commands(page, "load_older")).length, 1);
});

test("can't fetch older messages offline, says so, and does when it can", "big", async (page) => {
  await page.evaluate(() => {
    const fake = window.fakeCore;
    fake.link = { link: "offline", since: Date.now(), next_try: Date.now() + 60_000, trouble: "closed" };
    fake.talks[0].entries = fake.talks[0].entries.slice(-40);
    fake.publish();
  });
  await row(page, "Martha").click();
  await settled(page);
  await scrollTo(page, 0);
  await page.getByText("can't be loaded without the network").waitFor();
  await page.getByRole("button", { name: "Try now" }).click();
  await settled(page);
  assert.equal(await page.getByText("can't be loaded without the network").count(), 0);
});

test("holds the inbox still while the pointer is over it", "desk", async (page) => {
  // All rows are on the screen.
  await page.setViewportSize({ width: 1280, height: 1080 });
  await settled(page);
  const order = await names(page);
  await page.getByTestId("inbox-row").nth(3).hover();
  await core(page, (fake) => fake.talks.slice(7, 9).forEach((talk) => talk.says(90, "One more thing.")));
  assert.deepEqual(await names(page), order);
  assert.ok(await page.getByText("One more thing.").first().isVisible(), "rows change in their place");
  await page.getByRole("button", { name: "2 new, held" }).click();
  const moved = await names(page);
  assert.notDeepEqual(moved, order);
  await core(page, (fake) => fake.talks[9].says(120, "And me."));
  assert.deepEqual(await names(page), moved, "and holds the new order");
  await page.mouse.move(900, 300);
  await settled(page);
  assert.notDeepEqual(await names(page), moved, "until the pointer leaves");
});

test("keeps each draft with its own patient", "desk", async (page) => {
  await row(page, "Martha").click();
  await composer(page).fill("For Martha alone");
  await row(page, "Andre").click();
  await page.locator("main h1", { hasText: "Andre" }).waitFor();
  assert.equal(await composer(page).inputValue(), "");
  await composer(page).fill("For Andre");
  await row(page, "Martha").click();
  await page.locator("main h1", { hasText: "Martha" }).waitFor();
  assert.equal(await composer(page).inputValue(), "For Martha alone");
  await settled(page);
  const drafts = (await commands(page, "save_draft")).map(({ conversation, text }) => [conversation, text]);
  assert.deepEqual(drafts, [
    ["c-martha", "For Martha alone"],
    ["c-andre", "For Andre"],
  ]);
});

test("sends with Enter, breaks with Shift and Enter, leaves an input method alone", "desk", async (page) => {
  await row(page, "Andre").click();
  await composer(page).pressSequentially("With food");
  await composer(page).press("Shift+Enter");
  await composer(page).pressSequentially("please");
  await composer(page).dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
  assert.equal((await commands(page, "send")).length, 0);
  await composer(page).press("Enter");
  await settled(page);
  assert.deepEqual(await commands(page, "send"), [
    {
      command: "send",
      conversation: "c-andre",
      text: "With food\nplease",
      files: [],
      seen: 3,
      hold_ms: 5000,
    },
  ]);
  assert.equal(await composer(page).inputValue(), "");
  assert.equal(await composer(page).evaluate((area) => area === document.activeElement), true);
  await page.locator('[data-state="sent"]', { hasText: "With food" }).waitFor();
  await settled(page);
  assert.equal((await commands(page, "save_draft")).at(-1)?.text ?? "", "");
});

test("gives a text back that wasn't kept, with the reason", "desk", async (page) => {
  await row(page, "Andre").click();
  await page.evaluate(() => (window.failing = { send: { failure: "storage" } }));
  await composer(page).fill("Not lost");
  await composer(page).press("Enter");
  await page.getByText("can't be read or written").waitFor();
  assert.equal(await composer(page).inputValue(), "Not lost");
});

test("edits a refused message: the text goes back, the message goes", "desk", async (page) => {
  await row(page, "Tomasz").click();
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await settled(page);
  assert.equal(
    await composer(page).inputValue(),
    "Please hold the second dose until the blood result is in.",
  );
  assert.equal(await page.locator('[data-state="refused"]').count(), 0);
  assert.equal((await commands(page, "recall")).length, 1);
});

test("takes a reply back before it goes out", "desk", async (page) => {
  await row(page, "Andre").click();
  await composer(page).fill("With foot");
  await composer(page).press("Enter");
  await page.getByText("goes out in").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await settled(page);
  assert.equal(await composer(page).inputValue(), "With foot");
  assert.equal(await page.locator('[data-state="held"]').count(), 0);
  await composer(page).fill("With food");
  await composer(page).press("Enter");
  await page.locator('[data-state="held"]').waitFor();
  await composer(page).press("Control+z");
  await settled(page);
  assert.equal(await composer(page).inputValue(), "With food");
  await composer(page).press("Enter");
  await page.getByRole("button", { name: "Send now" }).click();
  await page.locator('[data-state="sent"]', { hasText: "With food" }).waitFor();
  assert.equal(await page.locator('[data-state="sent"]', { hasText: "With foot" }).count(), 0);
});

test(
  "a reply that came too late is sent all the same with one key, after a look at what came",
  "desk",
  async (page) => {
    await row(page, "Tomasz").click();
    await settled(page);
    await core(page, (fake) => {
      const talk = fake.talks[1].says(0, "Wait, I took two of them.");
    });
    const strip = page.getByTestId("behind");
    assert.match(await strip.innerText(), /2 messages came before your reply[\s\S]*I took two of them/);
    await composer(page).focus();
    await composer(page).press("Control+Enter");
    await settled(page);
    assert.deepEqual((await commands(page, "send_again"))[0].seen, 12);
    await strip.waitFor({ state: "detached" });
  },
);

test("works offline because somebody wants to, and online again", "desk", async (page) => {
  await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
  await page.getByRole("menuitem", { name: "Work offline" }).click();
  await page.getByText("Working offline since").waitFor();
  await page.getByRole("button", { name: "Go online" }).click();
  await page.getByText("Online").waitFor();
});

test("sends a refused message again with what is in view now", "desk", async (page) => {
  await row(page, "Tomasz").click();
  await settled(page);
  await page.getByRole("button", { name: "Send again" }).click();
  await page.locator('[data-seq="12"]').waitFor();
  assert.deepEqual((await commands(page, "send_again"))[0].seen, 11);
});

test("discards only after a confirmation", "desk", async (page) => {
  await row(page, "Tomasz").click();
  await page.getByRole("button", { name: "Discard" }).click();
  assert.equal((await commands(page, "discard")).length, 0);
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await settled(page);
  assert.equal((await commands(page, "discard")).length, 1);
  assert.equal(await page.getByRole("dialog").count(), 0);
});

test("can be worked by keys alone", "desk", async (page) => {
  const focused = () => page.evaluate(() => document.activeElement?.dataset.region);
  await page.keyboard.press("j");
  assert.equal(await focused(), "inbox");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.locator("main h1", { hasText: "Lucía" }).waitFor();
  await settled(page);
  assert.equal(await focused(), "composer");
  await page.keyboard.type("jk");
  assert.equal(await composer(page).inputValue(), "jk");
  await page.keyboard.press("F6");
  assert.equal(await focused(), "status");
  await page.keyboard.press("F6");
  assert.equal(await focused(), "search");
  await page.keyboard.press("F6");
  assert.equal(await focused(), "inbox");
  await page.keyboard.press("F6");
  assert.equal(await focused(), "messages");
  await page.keyboard.press("F6");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "inbox");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.locator("main h1", { hasText: "Noor" }).waitFor();
  assert.equal(await page.title(), "Bedside");
});

test("goes through two thousand rows", "big", async (page) => {
  await page.getByTestId("inbox").focus();
  await page.keyboard.press("End");
  await settled(page);
  await page.keyboard.press("Enter");
  await settled(page);
  assert.ok((await page.getByTestId("inbox-row").count()) < 60);
  assert.match(await page.locator("main h1").textContent(), /Patient|Martha/);
});

test("announces what comes in, and nothing that was there", "desk", async (page) => {
  await row(page, "Andre").click();
  await settled(page);
  const said = page.locator("[aria-live=polite]");
  assert.equal(await said.textContent(), "");
  await core(page, (fake) => fake.talks[2].says(0, "Hello?"));
  assert.equal(await said.textContent(), "Andre Okafor: Hello?");
});

test("shows another account nothing of this one", "desk", async (page) => {
  await row(page, "Andre").click();
  await composer(page).fill("Secret");
  await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await page.getByTestId("signin-token").waitFor();
  await page.getByTestId("signin-demo").click();
  await page.getByTestId("inbox").waitFor();
  assert.equal(await page.getByTestId("composer").count(), 0);
});

/** Scenes whose names hold this; all when nothing is given. */
const wanted = process.argv.slice(2).join(" ");
let failed = 0;
await withSite(async (openPage) => {
  for (const { name, scenario, run } of tests.filter(({ name }) => name.includes(wanted))) {
    const page = await openPage({ scenario });
    page.setDefaultTimeout(10_000);
    await page.evaluate(() => {
      window.commands = [];
      window.failing = {};
      const fake = window.fakeCore;
      const call = fake.call.bind(fake);
      fake.call = async (command) => {
        window.commands.push(command);
        const failure = window.failing[command.command];
        if (failure) throw failure;
        return call(command);
      };
    });
    try {
      await run(page);
      assert.deepEqual(page.errors, []);
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n${error.stack}`);
    }
    await page.context().close();
  }
});
process.exitCode = failed > 0 ? 1 : 0;
