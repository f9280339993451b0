/** The wire's types, generated from `crates/protocol`, and what the page sends with them. */
export type { ChangesAnswer } from "../../../../ui/src/bindings/ChangesAnswer";
export type { Code } from "../../../../ui/src/bindings/Code";
export type { Connect } from "../../../../ui/src/bindings/Connect";
export type { ConnectRefusal } from "../../../../ui/src/bindings/ConnectRefusal";
export type { Conversation } from "../../../../ui/src/bindings/Conversation";
export type { ConversationFrame } from "../../../../ui/src/bindings/ConversationFrame";
export type { EntriesAnswer } from "../../../../ui/src/bindings/EntriesAnswer";
export type { Entry } from "../../../../ui/src/bindings/Entry";
export type { EntryFrame } from "../../../../ui/src/bindings/EntryFrame";
export type { Heartbeat } from "../../../../ui/src/bindings/Heartbeat";
export type { Receipt } from "../../../../ui/src/bindings/Receipt";
export type { Rejected } from "../../../../ui/src/bindings/Rejected";
export type { Revoked } from "../../../../ui/src/bindings/Revoked";
export type { Role } from "../../../../ui/src/bindings/Role";
export type { TypingFrame } from "../../../../ui/src/bindings/TypingFrame";
export type { Welcome } from "../../../../ui/src/bindings/Welcome";
export { RETRY } from "../../../../ui/src/bindings/retry_classes";

import type { ClientFrame } from "../../../../ui/src/bindings/ClientFrame";
import type { ServerFrame } from "../../../../ui/src/bindings/ServerFrame";

type Events<Frame extends { event: string; data: unknown }> = {
  [F in Frame as F["event"]]: (data: F["data"]) => void;
};

/** Socket.IO's map of what the server emits. */
export type ServerEvents = Events<ServerFrame>;
/** Socket.IO's map of what the page emits. */
export type ClientEvents = Events<ClientFrame>;
/** A frame on its way out. */
export type { ClientFrame };

/** The version of the protocol that the page speaks. */
export const PROTOCOL = 1;
