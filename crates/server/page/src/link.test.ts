import { expect, it } from "vitest";
import { World } from "./cast";
import { credentials } from "./link";

it("connects with the token and nothing of what is written", () => {
  const world = new World().connect(0);
  world.chat.write("private");
  expect(Object.keys(credentials(world.kept)).sort()).toEqual(["client", "device", "protocol", "token"]);
  expect(credentials(world.kept)).toMatchObject({ token: "token", device: "device", protocol: 1 });
});
