// Files: how they are attached, sent, looked at and saved.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { commands, composer, core, row, search, test } from "./kit.mjs";
import { settled } from "./site.mjs";

// A picture of one pixel.
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const png = (name, buffer = Buffer.from(PIXEL, "base64")) => ({ name, mimeType: "image/png", buffer });
const pdf = (name) => ({ name, mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 made up") });

const chips = (page) => page.getByTestId("chip");
const chipNames = (page) => chips(page).locator("bdi").allTextContents();
const choose = async (page, ...files) => {
  const chooser = page.waitForEvent("filechooser");
  await page.getByTestId("attach").click();
  await (await chooser).setFiles(files);
};
/** What is attached to whose draft. */
const attached = (page) =>
  page.evaluate(() =>
    window.fakeCore.talks.flatMap(({ conversation, files }) =>
      files.map(({ name }) => `${conversation.id} ${name}`),
    ),
  );
const open = async (page, name) => {
  await row(page, name).click();
  await page.locator("main h1", { hasText: name }).waitFor();
};
/** Has files come over the window, as the system tells it. */
const drag = (page, type, selector, name = "rash.png") =>
  page.evaluate(
    ([kind, where, file]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["x"], file, { type: "image/png" }));
      const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer });
      document.querySelector(where).dispatchEvent(event);
      return event.defaultPrevented;
    },
    [type, selector, name],
  );

test("attaches files, shows them, and sends them alone", "desk", async (page) => {
  await open(page, "Andre");
  assert.ok(await page.getByTestId("send").isDisabled());
  await choose(page, png("rash.png"), pdf("plan.pdf"));
  await chips(page).nth(1).waitFor();
  assert.deepEqual(await chipNames(page), ["rash.png", "plan.pdf"]);
  await composer(page).press("Enter");
  await settled(page);
  const [sent] = await commands(page, "send");
  assert.deepEqual([sent.conversation, sent.text, sent.files.length], ["c-andre", "", 2]);
  assert.equal(await chips(page).count(), 0);
  assert.equal(await page.locator('[data-kind="file"][data-state="held"]').count(), 2);
});

test("sends a text with its files, once, however fast", "desk", async (page) => {
  await open(page, "Andre");
  await choose(page, png("rash.png"));
  await chips(page).waitFor();
  await composer(page).fill("See this");
  await composer(page).press("Enter");
  await composer(page).pressSequentially("and");
  await composer(page).press("Enter");
  await settled(page);
  const sent = (await commands(page, "send")).map(({ text, files }) => [text, files.length]);
  assert.deepEqual(sent, [
    ["See this", 1],
    ["and", 0],
  ]);
});

test("can't be sent while a file is being attached, and says why", "desk", async (page) => {
  await open(page, "Andre");
  await page.evaluate(() => (window.go = window.fakeCore.files.hold()));
  await choose(page, png("rash.png"));
  await page.getByTestId("chip-coming").waitFor();
  await composer(page).fill("See this");
  await composer(page).press("Enter");
  assert.ok(await page.getByTestId("send").isDisabled());
  await page.getByText("once the files are attached").waitFor();
  assert.equal((await commands(page, "send")).length, 0);
  await page.evaluate(() => window.go());
  await chips(page).waitFor();
  await composer(page).press("Enter");
  await settled(page);
  assert.equal((await commands(page, "send")).length, 1);
});

test("a file goes to the patient for whom it was chosen, whoever is open by then", "desk", async (page) => {
  await open(page, "Andre");
  const chooser = page.waitForEvent("filechooser");
  await page.getByTestId("attach").click();
  const choosing = await chooser;
  await page.evaluate(() => (window.go = window.fakeCore.files.hold()));
  await open(page, "Martha");
  await choosing.setFiles([png("for-andre.png")]);
  await open(page, "Tomasz");
  await page.evaluate(() => window.go());
  await settled(page);
  await page.waitForFunction(() => window.fakeCore.talks.some(({ files }) => files.length > 0));
  assert.deepEqual(await attached(page), ["c-andre for-andre.png"]);
  assert.equal(await chips(page).count(), 0);
  await open(page, "Andre");
  await chips(page).waitFor();
  assert.deepEqual(await chipNames(page), ["for-andre.png"]);
});

test("takes what is pasted, and text as text", "desk", async (page) => {
  await open(page, "Andre");
  const paste = (types) =>
    page.evaluate((kinds) => {
      const clipboardData = new DataTransfer();
      for (const kind of kinds) clipboardData.setData(kind, "words");
      clipboardData.items.add(new File(["x"], "image.png", { type: "image/png" }));
      const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData });
      document.querySelector("[data-testid=composer]").dispatchEvent(event);
      return event.defaultPrevented;
    }, types);
  assert.equal(await paste(["text/plain", "text/html"]), false);
  assert.equal(await paste([]), true);
  await chips(page).waitFor();
  assert.deepEqual(await chipNames(page), ["image.png"]);
});

test("takes what is dropped onto the conversation, and says whose it is", "desk", async (page) => {
  await open(page, "Andre");
  await drag(page, "dragover", "[data-testid=inbox]");
  const target = page.getByTestId("drop");
  assert.match(await target.innerText(), /Attach to Andre Okafor\s+born 30 Aug 1992/);
  assert.ok(await drag(page, "drop", "[data-testid=inbox]"), "elsewhere it is refused");
  await target.waitFor({ state: "detached" });
  await drag(page, "dragover", "[data-testid=composer]");
  assert.ok(await drag(page, "dragover", "[data-testid=drop]"));
  await drag(page, "drop", "[data-testid=drop]");
  await chips(page).waitFor();
  assert.deepEqual(await attached(page), ["c-andre rash.png"]);
  assert.equal(await target.count(), 0);
});

test("hides the target when the files are carried away", "desk", async (page) => {
  await open(page, "Andre");
  await drag(page, "dragover", "main");
  await page.getByTestId("drop").waitFor();
  await page.getByTestId("drop").waitFor({ state: "detached" });
});

test("removes attached files by keys, and the keys go on", "desk", async (page) => {
  await open(page, "Andre");
  await composer(page).press("Control+o");
  await choose(page, png("a.png"), pdf("b.pdf"), pdf("c.pdf"));
  await chips(page).nth(1).waitFor();
  const other = await chips(page).count();
  await page.getByRole("button", { name: "Remove" }).first().focus();
  await page.keyboard.press("Delete");
  await settled(page);
  assert.equal(await chips(page).count(), other - 1);
  assert.ok(await page.evaluate(() => document.activeElement.matches("[data-testid=chip] button")));
  await page.keyboard.press("Backspace");
  await settled(page);
  assert.equal((await commands(page, "detach")).length, 2);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "composer");
});

test("says why a file isn't attached", "desk", async (page) => {
  await open(page, "Andre");
  await page.evaluate(() => {
    window.fakeCore.fileLimit = { file_bytes: 100 };
    window.fakeCore.publish();
  });
  const large = png("large.png", Buffer.alloc(101));
  await choose(page, large, png("empty.png", Buffer.alloc(0)), png("small.png"));
  await chips(page).waitFor();
  assert.deepEqual(await chipNames(page), ["small.png"]);
  const said = await page.getByRole("alert").allInnerTexts();
  assert.match(
    said.join(),
    /large\.png is not attached\. It is too large[^]*empty\.png is not attached\. It is empty/,
  );
  await page.getByRole("button", { name: "Dismiss" }).click();
  assert.equal(await page.getByText("is not attached").count(), 0);
});

test("takes no files where the server takes none", "desk", async (page) => {
  await page.evaluate(() => {
    window.fakeCore.fileLimit = {};
    window.fakeCore.publish();
  });
  await open(page, "Andre");
  assert.equal(await page.getByTestId("attach").count(), 0);
  await drag(page, "dragover", "main");
  await settled(page);
  assert.equal(await page.getByTestId("drop").count(), 0);
});

test("an upload shows how far it is, and can be taken back to the draft", "desk", async (page) => {
  await open(page, "Andre");
  await choose(page, pdf("plan.pdf"));
  await chips(page).waitFor();
  await page.evaluate(() => window.fakeCore.files.hold());
  await composer(page).press("Enter");
  await page.getByRole("button", { name: "Send now" }).click();
  await page.locator('[data-state="uploading"]').waitFor();
  await page.getByText("sending the file: 0 %").waitFor();
  assert.equal(await page.getByRole("progressbar", { name: "Sending" }).count(), 1);
  await page.getByRole("button", { name: "Take back" }).click();
  await chips(page).waitFor();
  assert.deepEqual(await chipNames(page), ["plan.pdf"]);
  assert.equal(await page.locator('[data-state="uploading"]').count(), 0);
});

test("a file goes all the way", "desk", async (page) => {
  await open(page, "Andre");
  await choose(page, pdf("plan.pdf"));
  await chips(page).waitFor();
  await composer(page).press("Enter");
  await page.getByRole("button", { name: "Send now" }).click();
  await page.locator('[data-state="sent"]', { hasText: "plan.pdf" }).waitFor();
  assert.match(await row(page, "Andre").innerText(), /You: File: plan\.pdf/);
});

test("a picture is looked at by keys, and saved", "files", async (page) => {
  await open(page, "Ines");
  await settled(page);
  const picture = page.getByRole("button", { name: "mole.jpg", exact: true });
  await picture.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "mole.jpg" });
  await dialog.getByRole("img", { name: "mole.jpg" }).waitFor();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved to Downloads as").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.textContent !== null);
  assert.ok(await picture.evaluate((button) => button === document.activeElement));
});

test("a picture that isn't here comes once it can, and moves nothing", "files-offline", async (page) => {
  await open(page, "Ines");
  await settled(page);
  const away = page.locator("article", { hasText: "mole-in-daylight.jpg" });
  await away.scrollIntoViewIfNeeded();
  await away.getByText("Not on this computer yet").waitFor();
  const height = () => away.evaluate((article) => article.getBoundingClientRect().height);
  const before = await height();
  await away.getByRole("button", { name: "Try again" }).click();
  await away.getByText("Not on this computer yet").waitFor();
  await away.getByRole("button", { name: "Save" }).click();
  await page.getByText("can't be loaded without the network").waitFor();
  await core(page, (fake) => (fake.link = { link: "live", since: Date.now() }));
  await away.locator('[data-picture="shown"]').waitFor();
  assert.equal(await height(), before);
});

test("a file that was taken back is gone, and a name that lies doesn't", "files", async (page) => {
  await open(page, "Ines");
  await settled(page);
  await page.getByTestId("conversation").evaluate((list) => list.scrollTo({ top: 0 }));
  await page.getByText("This file was taken back").waitFor();
  assert.equal(await page.getByText("not-hers.jpg").count(), 0);
  assert.equal(await page.getByText("photogpj.exe").count(), 1);
});

test("finds a file by its name", "files", async (page) => {
  await search(page).fill("referral");
  await page.getByTestId("result").first().waitFor();
  assert.match(await page.getByTestId("result").first().innerText(), /File: referral-dermatology\.pdf/);
});

test("what is attached is there again when the conversation is", "attached", async (page) => {
  await open(page, "Ines");
  await settled(page);
  assert.equal(await chips(page).count(), 3);
  await open(page, "Andre");
  assert.equal(await chips(page).count(), 0);
  await open(page, "Ines");
  assert.equal(await chips(page).count(), 3);
});
