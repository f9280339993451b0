//! A message's id is its idempotency key: however often and wherever it arrives, there is one entry.

use bedside_protocol::{Body, ClientFrame, Entry, Send};
use bedside_tests::chat::{SignIn, new_id};
use bedside_tests::log::Log;
use bedside_tests::server::Server;
use bedside_tests::wire::Wire;
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// Patients who write at the same time, each from two devices.
const PATIENTS: usize = 5;
/// Each patient takes new sockets so often: a socket may send a burst, and then only at the server's pace.
const PAIRS: usize = 5;
/// Messages of a pair: the burst.
const MESSAGES: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn one_id_from_two_sockets_at_once_is_one_entry() {
    let server = Server::start().await;
    let mut patients = JoinSet::new();
    for number in 0..PATIENTS {
        let who = SignIn::patient(&server.url(), &format!("Twin {number}"));
        patients.spawn(async move {
            let mut told = BTreeMap::new();
            for _ in 0..PAIRS {
                let mut pair = [Wire::sign_in(&who).await, Wire::sign_in(&who).await];
                for _ in 0..MESSAGES {
                    let [one, other] = twice(&mut pair).await;
                    assert_eq!(one, other);
                    told.insert(one.id, one);
                }
            }
            told
        });
    }
    let mut told: BTreeMap<_, Entry> = BTreeMap::new();
    for one in patients.join_all().await {
        told.extend(one);
    }
    assert_eq!(told.len(), 1_000);

    let log = Log::of_server(&server);
    assert_eq!(log.messages().count(), 1_000);
    for entry in log.messages() {
        let heard = &told[&entry.id];
        assert_eq!(
            (&heard.conversation, heard.seq, &heard.body),
            (&entry.conversation, entry.seq, &entry.body)
        );
    }
    log.assert_dense();
}

async fn twice([one, other]: &mut [Wire; 2]) -> [Entry; 2] {
    let id = new_id();
    let frame = ClientFrame::Send(Send {
        id,
        conversation: one.conversation.clone().expect("a patient has a conversation"),
        seen: bedside_protocol::Seq::ZERO,
        body: Body::text(format!("message {id}")),
        from: None,
        force: false,
    });
    one.emit(frame.clone());
    other.emit(frame);
    let (one, other) = tokio::join!(one.answer(id), other.answer(id));
    [one, other].map(|answer| answer.expect("a good message"))
}
