//! Any bytes as a frame of either side: read or refused, never a panic; and what was read is written and read again as
//! the same.

#![no_main]

use bedside_protocol::{ClientFrame, Connect, Limits, ServerFrame};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// One of the names, or one that nobody knows.
fn pick(names: &[&'static str], n: u8) -> &'static str {
    let n = usize::from(n) % (names.len() + 1);
    names.get(n).copied().unwrap_or("nonsense")
}

fuzz_target!(|data: &[u8]| {
    let Some((first, json)) = data.split_first() else { return };
    let Ok(argument) = serde_json::from_slice::<Value>(json) else { return };
    if let Ok(frame) = ClientFrame::decode(pick(ClientFrame::EVENTS, *first), argument.clone()) {
        if let ClientFrame::Send(send) = &frame {
            let _checked = send.body.check(&Limits::default());
            let _preview = send.body.preview();
        }
        let (name, again) = frame.encode();
        assert_eq!(ClientFrame::decode(name, again).ok(), Some(frame));
    }
    if let Ok(frame) = ServerFrame::decode(pick(ServerFrame::EVENTS, *first), argument.clone()) {
        let (name, again) = frame.encode();
        assert_eq!(ServerFrame::decode(name, again).ok(), Some(frame));
    }
    let _connect = Connect::decode(argument);
});
