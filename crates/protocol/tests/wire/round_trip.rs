//! Encode and decode are inverse, through JSON's text, for every frame; fields and kinds of later versions included.

use crate::{any, config};
use bedside_protocol::{Body, ClientFrame, Connect, ConnectRefusal, Entry, ServerFrame};
use proptest::prelude::*;
use serde_json::{Value, json};

/// As the other side gets it.
fn over_the_wire(value: &Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn clients_frames(frame in any::client_frame()) {
        let (event, data) = frame.encode();
        prop_assert!(ClientFrame::EVENTS.contains(&event));
        prop_assert_eq!(ClientFrame::decode(event, over_the_wire(&data)), Ok(frame));
    }

    #[test]
    fn servers_frames(frame in any::server_frame()) {
        let (event, data) = frame.encode();
        prop_assert!(ServerFrame::EVENTS.contains(&event));
        prop_assert_eq!(ServerFrame::decode(event, over_the_wire(&data)), Ok(frame));
    }

    /// Not only equal as a value of ours: the JSON is the same, so that nothing is lost on the way through a client.
    #[test]
    fn an_entry_keeps_all_its_json(entry in any::entry()) {
        let sent = over_the_wire(&serde_json::to_value(&entry).unwrap());
        let kept: Entry = serde_json::from_value(sent.clone()).unwrap();
        prop_assert_eq!(over_the_wire(&serde_json::to_value(kept).unwrap()), sent);
    }

    #[test]
    fn a_body_that_cannot_be_read_is_kept_as_it_came(body in any::unknown()) {
        let sent = over_the_wire(&serde_json::to_value(&body).unwrap());
        let kept: Body = serde_json::from_value(sent.clone()).unwrap();
        prop_assert!(matches!(kept, Body::Unknown(_)));
        prop_assert_eq!(over_the_wire(&serde_json::to_value(kept).unwrap()), sent);
    }
}

#[test]
fn a_frame_of_one_direction_is_none_of_the_other() {
    for event in ["send", "read", "viewing"] {
        assert!(ServerFrame::decode(event, json!({})).is_err());
    }
    for event in ["welcome", "entry", "heartbeat", "nonsense", "", "Send"] {
        assert!(ClientFrame::decode(event, json!({})).is_err());
    }
}

#[test]
fn fields_of_a_later_version_do_not_hide_a_frame() {
    let (event, data) = ("read", json!({"conversation": "c-1", "upto": 3, "device": "phone"}));
    assert!(ClientFrame::decode(event, data).is_ok());
}

#[test]
fn a_connect_of_another_version_is_told_so_whatever_else_it_says() {
    let connect = |protocol: Value| {
        Connect::decode(json!({"token": "t", "device": "d", "protocol": protocol, "client": "c/1"}))
            .map(|connect| connect.protocol)
    };
    assert_eq!(connect(json!(1)), Ok(1));
    assert_eq!(connect(json!(2)), Err(ConnectRefusal::Protocol));
    assert_eq!(connect(json!("1")), Err(ConnectRefusal::Unauthenticated));
    assert_eq!(Connect::decode(json!({"protocol": 7, "ticket": {}})), Err(ConnectRefusal::Protocol));
    for nonsense in [json!(null), json!([]), json!("x"), json!({}), json!({"protocol": 1})] {
        assert_eq!(Connect::decode(nonsense), Err(ConnectRefusal::Unauthenticated));
    }
}
