//! What people do, and what is done to them and their machines.

use super::network::Weather;
use super::{Event, NOTICED_MS, World};
use crate::plan::Action;
use bedside_engine::{Input, OutboxState, Trouble};
use bedside_protocol::*;

/// Entries of one flood: more than a console fetches one after the other (`FAR` in the engine).
const FLOOD: usize = 1_100;

impl World {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Write { device, conversation, seen, hold_ms, empty } => {
                self.write(device, conversation, seen, hold_ms, empty);
            }
            Action::Type { device, conversation } if self.devices[device].engine.is_some() => {
                let conversation = self.conversations[conversation].clone();
                let text = format!("{conversation} draft {}", self.new_id());
                self.devices[device].types(&conversation, text);
                self.disk_soon(device);
            }
            Action::Flood { conversation } if self.server.is_up() => {
                let ids: Vec<_> = (0..FLOOD).map(|_| self.new_id()).collect();
                ids.iter().for_each(|id| self.ledger.colleague_wrote(*id));
                self.server.flood(&self.conversations[conversation], ids, self.now);
            }
            Action::Ask { patient } => {
                let id = self.new_id();
                self.ledger.asked(id, &self.conversations[patient]);
                self.patients[patient].waiting.push_back(id);
                self.patient_sends(patient);
            }
            Action::Read { device, conversation } => {
                let id = self.conversations[conversation].clone();
                let upto = self.held(device, &id);
                self.input(device, Input::Read(id, upto));
            }
            Action::Open { device, conversation } => {
                self.input(device, Input::Open(Some(self.conversations[conversation].clone())));
            }
            Action::Older { device, conversation } => {
                self.input(device, Input::LoadOlder(self.conversations[conversation].clone()));
            }
            Action::Decide { device, row, how } => self.decide(device, row, how),
            Action::Crash { device, kept, down_ms } => {
                let wrote = self.devices[device].crash(kept);
                self.wrote(device, wrote, false);
                self.drop_line(device);
                let life = self.devices[device].life;
                self.after(down_ms, Event::Starts(device, life));
            }
            Action::Outage { kept, down_ms } if self.server.is_up() => {
                for conn in self.server.crash(self.now, kept) {
                    self.after(1, Event::Closed(conn, Trouble::Closed));
                }
                self.after(down_ms, Event::ServerStarts);
            }
            Action::Cut { device } => {
                if let Some((conn, _)) = self.devices[device].conn {
                    self.after(0, Event::Left(conn));
                }
            }
            Action::BlackHole { device } => {
                if let Some((conn, _)) = self.devices[device].conn {
                    self.line(conn, |line| line.black = true);
                    self.after(NOTICED_MS, Event::Left(conn));
                }
            }
            Action::Stall { device, ms } => {
                if let Some((conn, _)) = self.devices[device].conn {
                    let until = self.now.plus(ms);
                    self.line(conn, |line| line.stalled_until = until);
                }
            }
            Action::Weather { lost, doubled, overtaken, delay_ms } => {
                self.weather = Weather { lost, doubled, overtaken, delay_ms };
            }
            Action::DiskFault { device } => self.devices[device].fault = true,
            Action::LogFault => self.server.fault = true,
            Action::Sleep { device, ms } => {
                self.devices[device].ahead += ms;
                self.input(device, Input::Doubt);
            }
            Action::Pause { device } => self.input(device, Input::Pause),
            Action::Reconnect { device } => self.input(device, Input::Reconnect),
            Action::Revoke { device } => {
                let me = self.devices[device].me.clone();
                for conn in self.server.revoke(&me) {
                    self.send(conn, ServerFrame::Revoked(Revoked { wipe: false }));
                }
            }
            Action::Outage { .. } | Action::Type { .. } | Action::Flood { .. } => {}
        }
    }

    fn write(&mut self, device: usize, conversation: usize, all_seen: bool, hold_ms: u64, empty: bool) {
        if self.devices[device].engine.is_none() {
            return;
        }
        let conversation = self.conversations[conversation].clone();
        let held = self.held(device, &conversation);
        let seen = if all_seen { held } else { Seq::new(held.get() / 2) };
        let id = self.new_id();
        // It says where it belongs.
        let text = if empty { " ".to_owned() } else { format!("{conversation} answer {id}") };
        let body = match self.ids.is_multiple_of(5) && !empty {
            true => Body::File(file(&text)),
            false => Body::text(text),
        };
        let at = self.devices[device].clock(self.now);
        let hold_until = if hold_ms == 0 { Time::ZERO } else { at.plus(hold_ms) };
        let send = Send { id, conversation, seen, body, from: None, force: false };
        self.ledger.wrote(device, &send, hold_until);
        if let Body::File(file) = &send.body {
            self.devices[device].attaches(&send.conversation, file);
            self.ledger.attached(device, &send.conversation, file);
        }
        self.input(device, Input::Send { sends: vec![send], at, hold_until });
    }

    pub(super) fn decide(&mut self, device: usize, row: usize, how: usize) {
        if self.devices[device].engine.is_none() {
            return;
        }
        let rows = self.devices[device].reader().outbox().expect("the disk");
        let Some(row) = rows.get(row) else { return };
        let id = row.send.id;
        let input = match (how, row.state) {
            (0, _) => Input::Discard(id),
            (1, _) => Input::Recall(id),
            (_, OutboxState::Refused(code)) => {
                let seen = self.held(device, &row.send.conversation);
                self.ledger.again(id, seen, code == Code::Behind);
                Input::SendAgain(id, seen)
            }
            _ => {
                self.ledger.hurried(id);
                Input::SendNow(id)
            }
        };
        self.input(device, input);
    }

    pub(super) fn held(&self, device: usize, conversation: &ConversationId) -> Seq {
        self.devices[device].held.get(conversation).copied().unwrap_or_default()
    }

    pub(super) fn new_id(&mut self) -> EntryId {
        self.ids += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.ids.to_be_bytes());
        EntryId::from_parts(self.now, random)
    }
}

/// A file whose name says where it belongs; its bytes are its name's.
fn file(name: &str) -> File {
    // No digest, but as good: each name has its own.
    let bytes = name.bytes().chain(std::iter::repeat(0));
    let sha256: String =
        bytes.take(64).map(|byte| char::from(b"0123456789abcdef"[usize::from(byte % 16)])).collect();
    let (media_type, bytes) = ("text/plain".into(), name.len() as u64);
    File { sha256, name: name.to_owned(), media_type, bytes, extra: Extra::new() }
}
