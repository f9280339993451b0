import { expect, it } from "vitest";
import { uuidv7 } from "./uuid";

it("is the UUID of version 7 of RFC 9562's example", () => {
  const random = Uint8Array.from([0xfc, 0xc3, 0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
  expect(uuidv7(0x017f22e279b0, random)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
});
