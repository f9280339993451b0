//! A patient's client, as simple as the protocol allows: one message under way, sent again until its entry comes.

use crate::server::Conn;
use bedside_protocol::*;
use std::collections::VecDeque;

pub struct Patient {
    conversation: ConversationId,
    /// Messages that aren't known to be in the log, oldest first.
    pub waiting: VecDeque<EntryId>,
    pub conn: Option<Conn>,
    welcomed: bool,
    /// Since when an answer is awaited.
    asked: Option<Time>,
    not_before: Time,
}

impl Patient {
    /// A connection without an answer for this long is given up.
    pub const PATIENCE_MS: u64 = 5_000;

    pub fn new(conversation: ConversationId) -> Self {
        Self {
            conversation,
            waiting: VecDeque::new(),
            conn: None,
            welcomed: false,
            asked: None,
            not_before: Time::ZERO,
        }
    }

    pub fn dialled(&mut self, conn: Conn, now: Time) {
        self.conn = Some(conn);
        self.welcomed = false;
        self.asked = Some(now);
    }

    pub fn disconnected(&mut self) {
        self.conn = None;
        self.welcomed = false;
        self.asked = None;
    }

    pub fn is_overdue(&self, now: Time) -> bool {
        match self.asked {
            Some(since) => now.since(since) >= Self::PATIENCE_MS,
            None => self.conn.is_none(),
        }
    }

    pub fn next_send(&mut self, now: Time) -> Option<(Conn, Send)> {
        let (conn, id) = (self.conn?, *self.waiting.front()?);
        if !self.welcomed || self.asked.is_some() || now < self.not_before {
            return None;
        }
        self.asked = Some(now);
        let body = Body::text(format!("{} asks {id}", self.conversation));
        let send = Send {
            id,
            conversation: self.conversation.clone(),
            seen: Seq::ZERO,
            body,
            from: None,
            force: false,
        };
        Some((conn, send))
    }

    pub fn hears(&mut self, conn: Conn, frame: ServerFrame, now: Time) {
        if self.conn != Some(conn) {
            return;
        }
        match frame {
            ServerFrame::Welcome(_) => {
                self.welcomed = true;
                self.asked = None;
            }
            ServerFrame::Entry(live) if self.waiting.front() == Some(&live.entry.id) => {
                self.waiting.pop_front();
                self.asked = None;
            }
            ServerFrame::Rejected(rejected) if rejected.id == self.waiting.front().copied() => {
                assert_eq!(
                    rejected.code.retry(),
                    Retry::Later,
                    "a patient's message is refused: {rejected:?}"
                );
                self.asked = None;
                self.not_before = now.plus(rejected.retry_after_ms.unwrap_or(500));
            }
            _ => {}
        }
    }
}
