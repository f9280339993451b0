// The scenes of behave.mjs about what is locked, closed, expired or mended.

import assert from "node:assert/strict";
import { commands, composer, core, row, search, test } from "./kit.mjs";
import { settled } from "./site.mjs";

const PASSPHRASE = "four green apples";
const lockScreen = (page) => page.getByTestId("lock-screen");
/** Everything that a look into the page finds: texts, attributes, what is typed. */
const everything = (page) =>
  page.evaluate(
    () =>
      document.title +
      document.documentElement.outerHTML +
      [...document.querySelectorAll("input, textarea")].map(({ value }) => value).join(),
  );
const focusedId = (page) => page.evaluate(() => document.activeElement?.dataset.testid);

test(
  "locks with its key, leaves nothing of a patient, and comes back to where one was",
  "can-lock",
  async (page) => {
    await row(page, "Martha").click();
    await composer(page).pressSequentially("Does it spread");
    for (let i = 0; i < 6; i++) await composer(page).press("ArrowLeft");
    await composer(page).pressSequentially("hurt or ");
    await page.keyboard.press("Control+l");
    await lockScreen(page).waitFor();
    const given = await page.evaluate(() => window.commands.slice(-2));
    assert.deepEqual(
      given.map(({ command, text, cursor }) => [command, text, cursor]),
      [
        ["save_draft", "Does it hurt or spread", 16],
        ["lock", undefined, undefined],
      ],
    );
    await settled(page);
    assert.doesNotMatch(await everything(page), /Martha|Ellison|Andre|lisinopril|spread|Osei/);

    assert.equal(await focusedId(page), "unlock-passphrase");
    await page.keyboard.type("four red apples");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("not the passphrase").waitFor();
    assert.equal(await focusedId(page), "unlock-passphrase");
    // It is selected: whoever types on replaces it.
    await page.keyboard.type(PASSPHRASE);
    await page.keyboard.press("Enter");
    await page.locator("main h1", { hasText: "Martha" }).waitFor();
    assert.equal(await focusedId(page), "composer");
    assert.equal(await composer(page).inputValue(), "Does it hurt or spread");
    await page.keyboard.type("X");
    assert.equal(await composer(page).inputValue(), "Does it hurt or Xspread");
    assert.doesNotMatch(await everything(page), /green apples/);
  },
);

test("locks from within menus, dialogs and a search, and by itself", "can-lock", async (page) => {
  const unlock = async () => {
    await lockScreen(page).waitFor();
    await settled(page);
    assert.doesNotMatch(await everything(page), /Martha|Tomasz|Osei|second dose/);
    await page.keyboard.type(PASSPHRASE);
    await page.keyboard.press("Enter");
    await page.getByTestId("inbox-row").first().waitFor();
  };
  await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
  await page.getByRole("menuitem", { name: "Lock now" }).click();
  await unlock();
  await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Control+l");
  await unlock();
  await page.getByTestId("outbox-open").click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Control+l");
  await unlock();
  assert.equal(await page.getByRole("dialog").count(), 0);
  await search(page).fill("second dose");
  await page.getByTestId("result").first().waitFor();
  await core(
    page,
    (fake) => (fake.vault.state = { vault: "locked", by: "idle", opener: "passphrase", waiting: 0 }),
  );
  await page.getByText("nobody was here").waitFor();
  await unlock();
  assert.equal(await search(page).inputValue(), "");
});

test("keeps what is typed when it is locked before the disk has it", "can-lock", async (page) => {
  await row(page, "Martha").click();
  await composer(page).fill("Not yet kept");
  await core(
    page,
    (fake) => (fake.vault.state = { vault: "locked", by: "sleep", opener: "passphrase", waiting: 0 }),
  );
  await lockScreen(page).waitFor();
  assert.doesNotMatch(await everything(page), /Not yet kept/);
  await page.keyboard.type(PASSPHRASE);
  await page.keyboard.press("Enter");
  await page.locator("main h1", { hasText: "Martha" }).waitFor();
  await settled(page);
  assert.equal(await composer(page).inputValue(), "Not yet kept");
  assert.equal(await page.evaluate(() => window.fakeCore.talks[0].draft), "Not yet kept");
});

test(
  "a passphrase is chosen before the first lock, and known before another",
  "no-keychain",
  async (page) => {
    const field = (which) => page.getByTestId(`passphrase-${which}`);
    const submit = () => field("submit").click();
    await page.keyboard.press("Control+l");
    await page.getByRole("dialog").waitFor();
    assert.equal(await focusedId(page), "passphrase-new");
    await page.keyboard.type("short");
    await page.keyboard.press("Tab");
    await page.keyboard.type("shirt");
    await page.keyboard.press("Enter");
    await page.getByText("not the same").waitFor();
    assert.equal(await focusedId(page), "passphrase-again");
    await page.keyboard.type("short");
    await page.keyboard.press("Enter");
    await page.getByText("8 characters or more").waitFor();
    assert.equal(await focusedId(page), "passphrase-new");
    await field("new").fill(PASSPHRASE);
    await field("again").fill(PASSPHRASE);
    assert.equal(await page.getByTestId("vault-hint").count(), 1);
    await submit();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await page.getByTestId("vault-hint").count(), 0);

    await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
    await page.getByRole("menuitem", { name: "Passphrase" }).click();
    await field("current").fill("three red apples");
    await field("new").fill("five green apples");
    await field("again").fill("five green apples");
    await submit();
    await page.getByText("not the passphrase").waitFor();
    await settled(page);
    assert.equal(await focusedId(page), "passphrase-current");
    await page.keyboard.type(PASSPHRASE);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Control+l");
    await lockScreen(page).waitFor();
  },
);

test("who forgot the passphrase signs out, knowing what is lost", "locked-waiting", async (page) => {
  assert.ok(await page.getByText("2 messages wait to be sent until you unlock").isVisible());
  await page.getByRole("button", { name: "Forgot the passphrase?" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out and delete" }).click();
  await page.getByTestId("signin-token").waitFor();
  assert.deepEqual(await commands(page, "sign_out"), [{ command: "sign_out", discard_waiting: true }]);
});

test("a closed cache is tried again, and opens once that helps", "closed-keychain", async (page) => {
  assert.equal(await focusedId(page), "open-again");
  await page.keyboard.press("Enter");
  await page.getByText("it still can’t be opened").waitFor();
  assert.equal(await focusedId(page), "open-again");
  await page.evaluate(() => (window.fakeCore.vault.mended = true));
  await page.keyboard.press("Enter");
  await page.getByTestId("inbox-row").first().waitFor();
});

test("what a newer program wrote isn't deleted by this one", "closed-newer", async (page) => {
  assert.equal(await page.getByTestId("leave").count(), 0);
});

test("opens by itself once the server is reached after too long", "expired", async (page) => {
  assert.ok(await page.getByText("Offline since").isVisible());
  await page.getByTestId("reconnect").click();
  await page.getByTestId("inbox-row").first().waitFor();
});

test("what was mended is said once", "salvaged", async (page) => {
  await page.getByTestId("repaired").getByRole("alert").waitFor();
  await page.getByRole("button", { name: "I have read this" }).click();
  await core(page, () => {});
  assert.equal(await page.getByTestId("repaired").count(), 0);
  await core(page, (fake) => (fake.repaired = { what: "caught_up", at: Date.now() }));
  assert.equal(await page.getByTestId("repaired").count(), 1);
});

test("restores the caret of a draft", "desk", async (page) => {
  await search(page).fill("Noor");
  await page.getByTestId("result").first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator("main h1", { hasText: "Noor" }).waitFor();
  await settled(page);
  const caret = () => composer(page).evaluate((area) => [area.selectionStart, area.selectionEnd]);
  assert.deepEqual(await caret(), [22, 22]);
  await composer(page).focus();
  await page.keyboard.press("ArrowLeft");
  await search(page).press("Escape");
  await row(page, "Martha").click();
  await page.locator("main h1", { hasText: "Martha" }).waitFor();
  await page.getByTestId("inbox").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.locator("main h1", { hasText: "Noor" }).waitFor();
  assert.deepEqual(await caret(), [21, 21]);
});

test("tells that somebody is here, now and then, and only while it is open", "can-lock", async (page) => {
  await page.mouse.move(300, 300);
  await page.mouse.move(320, 300);
  await page.keyboard.press("Shift");
  assert.equal((await commands(page, "active")).length, 1);
  await core(
    page,
    (fake) => (fake.vault.state = { vault: "locked", by: "idle", opener: "passphrase", waiting: 0 }),
  );
  await lockScreen(page).waitFor();
  await page.keyboard.press("Shift");
  await page.mouse.move(400, 300);
  assert.equal((await commands(page, "active")).length, 1);
});
