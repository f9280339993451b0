// What the scenes of behave.mjs have in common.

import { settled } from "./site.mjs";

export const tests = [];
export const test = (name, scenario, run) => tests.push({ name, scenario, run });

export const row = (page, name) => page.getByRole("option", { name });
export const composer = (page) => page.getByTestId("composer");
/** Lets the made-up core do something, and tells the window. */
export const core = async (page, doing, argument) => {
  await page.evaluate(`(${doing})(window.fakeCore, ${JSON.stringify(argument)}); window.fakeCore.publish()`);
  await settled(page);
};
/** All commands of a kind that the window gave. */
export const commands = (page, kind) =>
  page.evaluate((wanted) => window.commands.filter(({ command }) => command === wanted), kind);
export const search = (page) => page.getByTestId("search");
