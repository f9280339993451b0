//! The answer to one frame: to the one who asked, and nobody else.

use crate::door::{Ack, Subject, reject};
use crate::log::Outcome;
use crate::session::{Frame, Session};
use crate::shared::Shared;
use crate::view;
use bedside_protocol::{Refusal, ServerFrame};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;

/// Whom a frame's answer goes to.
pub struct Asker {
    /// The server.
    pub shared: Arc<Shared>,
    /// Who asks.
    pub session: Arc<Session>,
    /// The frame.
    pub subject: Subject,
    /// Asked for by the client.
    pub ack: Option<Ack>,
}

impl Asker {
    /// Refuses it.
    pub fn reject(self, refusal: Refusal) {
        self.shared.metrics.rejected(refusal.code);
        let session = &self.session;
        let emit = |frame: &Frame| {
            session.emit(frame);
            Ok(())
        };
        if let Err(undelivered) = reject(self.subject, refusal, self.ack, emit) {
            session.ending.end(undelivered.into());
        }
    }

    /// Emits `frame` unless everybody got it already, and acknowledges with what it says.
    fn answer(self, frame: &ServerFrame, told: bool) {
        if told && self.ack.is_none() {
            return;
        }
        let frame = Frame::new(frame);
        if !told {
            self.session.emit(&frame);
        }
        self.acknowledge(&frame.data);
    }

    /// Answers a frame that reads.
    pub fn settle(self, result: Result<ServerFrame, Refusal>) {
        match result {
            Ok(frame) => self.answer(&frame, false),
            Err(refusal) => self.reject(refusal),
        }
    }

    /// Acknowledges it, where that was asked for.
    pub fn acknowledge(self, data: &RawValue) {
        #[derive(Serialize)]
        struct Done<'a> {
            ok: &'a RawValue,
        }
        if let Some(ack) = self.ack
            && let Err(undelivered) = ack(&to_raw_value(&Done { ok: data }).unwrap_or_default())
        {
            self.session.ending.end(undelivered.into());
        }
    }

    /// Answers a write, which has been published by now.
    pub fn written(self, result: Result<Outcome, Refusal>) {
        match result {
            Ok(Outcome { committed, answer }) => {
                let told = !committed.changes().is_empty();
                let patient = !self.session.is_provider();
                match view::answer(&answer, patient) {
                    Some(frame) => self.answer(&frame, told),
                    None => self.acknowledge(RawValue::NULL),
                }
            }
            Err(refusal) => self.reject(refusal),
        }
    }
}
