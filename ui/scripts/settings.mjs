// The scenes of behave.mjs about settings, and about getting in by this computer's sign-in.

import assert from "node:assert/strict";
import { commands, composer, row, test } from "./kit.mjs";

const dialog = (page) => page.getByRole("dialog", { name: "Settings" });
const show = async (page) => {
  await page.keyboard.press("Control+,");
  await page.getByTestId("settings").waitFor();
};
const sets = async (page) => (await commands(page, "set")).map(({ setting }) => setting);
const lockScreen = (page) => page.getByTestId("lock-screen");
const focusedId = (page) => page.evaluate(() => document.activeElement?.dataset.testid);

test("sets what one wants by keys alone, and goes back to where one was", "system", async (page) => {
  await row(page, "Martha").click();
  await composer(page).focus();
  await show(page);
  const named = (role, name) => dialog(page).getByRole(role, { name });
  const notifications = named("switch", "Notifications");
  assert.ok(await notifications.isChecked());
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    assert.ok(
      await dialog(page).evaluate((box) => box.contains(document.activeElement)),
      "it keeps the focus",
    );
  }
  await notifications.focus();
  await page.keyboard.press("Space");
  await named("combobox", "Lock when nobody is here").selectOption("After 2 minutes");
  await named("switch", /sign-in/).focus();
  await page.keyboard.press("Space");
  assert.deepEqual(await sets(page), [
    { setting: "notifications", on: false },
    { setting: "idle_lock", minutes: 2 },
    { setting: "system_unlock", on: false },
  ]);
  assert.ok(!(await notifications.isChecked()));
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "detached" });
  assert.equal(await focusedId(page), "composer");
  // Nothing opens it any more.
  await page.getByText("Can’t lock itself yet").waitFor();
  await page.getByRole("button", { name: "Dr. Amara Osei" }).click();
  await page.getByRole("menuitem", { name: "Settings" }).click();
  assert.ok(!(await notifications.isChecked()));
});

test(
  "what an organisation sets, or this computer hasn't got, can't be changed",
  "organised",
  async (page) => {
    await show(page);
    for (const name of ["Notifications", "Keep the window out of screenshots", /sign-in/]) {
      assert.ok(await dialog(page).getByRole("switch", { name }).isDisabled(), String(name));
    }
    assert.equal(await dialog(page).getByText("Set by your organisation").count(), 1);
    assert.ok(await dialog(page).getByText("settings.json.unreadable").isVisible());
  },
);

test("what isn't kept is said, and shown as it is", "system", async (page) => {
  await show(page);
  await page.evaluate(() => (window.failing.set = { failure: "set_by_policy" }));
  const notifications = dialog(page).getByRole("switch", { name: "Notifications" });
  await notifications.click();
  await dialog(page).getByRole("alert").getByText("organisation").waitFor();
  assert.ok(await notifications.isChecked());
});

test("locks without a passphrase, and this computer's sign-in opens it", "system", async (page) => {
  await row(page, "Martha").click();
  await page.keyboard.press("Control+l");
  await lockScreen(page).waitFor();
  assert.equal(await page.getByTestId("unlock-passphrase").count(), 0);
  const button = page.getByTestId("system-unlock");
  await page.waitForFunction(() => document.activeElement?.dataset.testid === "system-unlock");
  assert.deepEqual(await commands(page, "unlock_by_system"), [], "only when somebody wants in");
  await page.evaluate(() => (window.fakeCore.vault.system = "dismissed"));
  await page.keyboard.press("Enter");
  await button.getByText("asks who you are").waitFor();
  await lockScreen(page).getByRole("alert").getByText("Nobody answered").waitFor();
  assert.equal(await focusedId(page), "system-unlock");
  await page.evaluate(() => (window.fakeCore.vault.system = "yes"));
  await page.keyboard.press("Enter");
  await page.locator("main h1", { hasText: "Martha" }).waitFor();
});

test("without anybody to ask it says so, and asks again when it is told to", "locked-alone", async (page) => {
  await page.getByTestId("no-system-unlock").waitFor();
  assert.equal(await page.getByTestId("system-unlock").count(), 0);
  await page.evaluate(() => (window.fakeCore.vault.system = "yes"));
  await lockScreen(page).getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("system-unlock").click();
  await page.getByTestId("inbox-row").first().waitFor();
});
