//! Whatever a client sends: the named refusal, nothing committed, and others don't notice.

use bedside_protocol::{
    Body, ClientFrame, Code, Connect, ConnectRefusal, ConversationId, Entries, Limits, Note, Read, Rejected,
    Send, Seq, Typing,
};
use bedside_server::token::{Claims, Key, TokenRole};
use bedside_tests::cast::{AMARA, ANDRE, LUCIA, MARTHA};
use bedside_tests::chat::{SignIn, new_id};
use bedside_tests::log::Log;
use bedside_tests::raw::Raw;
use bedside_tests::server::Server;
use bedside_tests::wire::{Wire, connect};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

/// A server, and two bystanders whose connections must outlive what others send.
struct Scene {
    server: Server,
    patient: Wire,
    provider: Wire,
    conversation: ConversationId,
    before: Log,
}

impl Scene {
    async fn set() -> Self {
        let server = Server::start().await;
        let mut patient = Wire::sign_in(&SignIn::patient(&server.url(), MARTHA)).await;
        let provider = Wire::sign_in(&SignIn::provider(&server.url(), AMARA)).await;
        let conversation = patient.conversation.clone().unwrap();
        patient.say(&conversation, "The first message").await;
        let before = Log::of_server(&server);
        Self { server, patient, provider, conversation, before }
    }

    /// A third person, who misbehaves.
    async fn patient(&self, name: &str) -> Wire {
        Wire::sign_in(&SignIn::patient(&self.server.url(), name)).await
    }

    /// A token that the server has signed.
    fn token(&self, role: TokenRole, clinic: &str, lifetime_s: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({
            "sub": "mallory", "name": "Mallory", "role": role, "clinic": clinic,
            "iat": now - 7200, "exp": now.checked_add_signed(lifetime_s), "jti": "1",
        });
        let claims: Claims = serde_json::from_value(claims).unwrap();
        Key::of(&self.server.data()).unwrap().mint(&claims)
    }

    async fn refusal(&self, namespace: &'static str, connect: Connect) -> ConnectRefusal {
        let connected = Wire::connect(&self.server.url(), namespace, connect).await;
        connected.err().expect("the server refuses the connection")
    }

    /// Nothing was committed, and both bystanders are connected still, and served.
    async fn assert_unharmed(self) {
        let before = self.before.clone();
        self.assert_added(before.0.len()).await;
    }

    /// The same, but for good messages that came with the bad.
    async fn assert_added(mut self, entries: usize) {
        let log = Log::of_server(&self.server);
        assert_eq!(log.0.len(), entries);
        let old = |log: &Log| {
            Log(log.0.iter().filter(|entry| entry.conversation == self.conversation).cloned().collect())
        };
        assert_eq!(old(&log).digest(), old(&self.before).digest());
        let entry = self.patient.say(&self.conversation, "Still here").await;
        self.provider.answer(entry.id).await.unwrap();
        let page = self.provider.entries(&self.conversation, Seq::new(1), entry.seq).await;
        assert_eq!(page.entries.last(), Some(&entry_without_prev(entry)));
    }
}

/// As providers see it.
fn entry_without_prev(mut entry: bedside_protocol::Entry) -> bedside_protocol::Entry {
    entry.prev = None;
    entry
}

fn send(conversation: &ConversationId, body: Body) -> Send {
    Send { id: new_id(), conversation: conversation.clone(), seen: Seq::ZERO, body, from: None, force: false }
}

async fn refused(wire: &mut Wire, send: Send) -> Rejected {
    let id = send.id;
    wire.emit(ClientFrame::Send(send));
    let rejected = wire.answer(id).await.expect_err("the server refuses the message");
    assert_eq!(rejected.of, "send");
    rejected
}

#[tokio::test]
async fn too_large() {
    let scene = Scene::set().await;
    let mut andre = scene.patient(ANDRE).await;
    let own = andre.conversation.clone().unwrap();
    let limit = usize::try_from(Limits::default().text_bytes).unwrap();
    for bytes in [limit + 1, 10_000_000] {
        let rejected = refused(&mut andre, send(&own, Body::text("a".repeat(bytes)))).await;
        assert_eq!(rejected.code, Code::TooLarge, "{bytes} bytes");
    }
    // The same connection still serves.
    let page = andre.entries(&own, Seq::new(1), Seq::new(1)).await;
    assert_eq!(page.entries, []);
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn a_note_by_a_patient() {
    let scene = Scene::set().await;
    let mut andre = scene.patient(ANDRE).await;
    let own = andre.conversation.clone().unwrap();
    let note = Note { text: "a note".into(), mentions: vec![], extra: Default::default() };
    let rejected = refused(&mut andre, send(&own, Body::Note(note))).await;
    assert_eq!(rejected.code, Code::Forbidden);
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn another_persons_conversation() {
    let scene = Scene::set().await;
    let mut strangers = vec![scene.patient(ANDRE).await];
    for (namespace, role) in [("/provider", TokenRole::Provider), ("/patient", TokenRole::Patient)] {
        let token = scene.token(role, "elsewhere", 3600);
        strangers.push(Wire::connect(&scene.server.url(), namespace, connect(&token)).await.unwrap());
    }
    let nowhere = ConversationId::new("nowhere").unwrap();
    for mut stranger in strangers {
        // One can't tell another's conversation from one that doesn't exist.
        for conversation in [&scene.conversation, &nowhere] {
            let rejected = refused(&mut stranger, send(conversation, Body::text("hello"))).await;
            assert_eq!(rejected.code, Code::NotFound);
            let (from, to) = (Seq::new(1), Seq::new(10));
            let conversation = conversation.clone();
            for frame in [
                ClientFrame::Entries(Entries {
                    conversation: conversation.clone(),
                    from,
                    to,
                    summary: false,
                }),
                ClientFrame::Read(Read { conversation: conversation.clone(), upto: to }),
                ClientFrame::Typing(Typing { conversation }),
            ] {
                let event = frame.encode().0;
                stranger.emit(frame);
                let rejected = stranger.rejection().await;
                assert_eq!((rejected.of.as_str(), rejected.code), (event, Code::NotFound));
            }
        }
    }
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn tokens_and_versions() {
    let scene = Scene::set().await;
    for (namespace, role) in [("/provider", TokenRole::Provider), ("/patient", TokenRole::Patient)] {
        let good = scene.token(role, "elsewhere", 3600);
        let mut tampered = good.clone();
        tampered.truncate(good.len() - 4);
        let expected = [
            (connect(&scene.token(role, "elsewhere", -60)), ConnectRefusal::Expired),
            (connect(&tampered), ConnectRefusal::Unauthenticated),
            (connect("garbage"), ConnectRefusal::Unauthenticated),
            (connect(""), ConnectRefusal::Unauthenticated),
            (Connect { protocol: 2, ..connect(&good) }, ConnectRefusal::Protocol),
            (Connect { protocol: 0, ..connect("garbage") }, ConnectRefusal::Protocol),
        ];
        for (connect, refusal) in expected {
            assert_eq!(scene.refusal(namespace, connect).await, refusal);
        }
    }
    // A patient's token opens no provider's door.
    let patients = scene.token(TokenRole::Patient, "elsewhere", 3600);
    assert_eq!(scene.refusal("/provider", connect(&patients)).await, ConnectRefusal::Unauthenticated);
    scene.assert_unharmed().await;
}

/// Frames that are Socket.IO, but not the protocol's: each is refused, and the connection stays.
#[tokio::test]
async fn frames_that_say_nothing() {
    let scene = Scene::set().await;
    let mut raw = Raw::sign_in(&SignIn::patient(&scene.server.url(), LUCIA)).await;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (of, packet) in [
        ("send", r#"["send"]"#),
        ("send", r#"["send",null]"#),
        ("send", r#"["send",7]"#),
        ("send", r#"["send",{}]"#),
        ("send", r#"["send",{"id":"1","conversation":"x","seen":0,"body":{"kind":"text","text":"x"}}]"#),
        (
            "send",
            r#"["send",{"id":"0197f3a0-0000-7000-8000-000000000000","conversation":"../x","seen":0,"body":{}}]"#,
        ),
        (
            "send",
            r#"["send",{"id":"0197f3a0-0000-7000-8000-000000000000","conversation":"x","seen":-1,"body":{}}]"#,
        ),
        (
            "send",
            r#"["send",{"id":"0197f3a0-0000-7000-8000-000000000000","conversation":"x","seen":1e300,"body":{}}]"#,
        ),
        ("entries", r#"["entries",{"conversation":"x"}]"#),
        ("changes", r#"["changes","since"]"#),
        ("read", r#"["read",[]]"#),
        ("typing", r#"["typing",{"conversation":"\ud800"}]"#),
        ("nonsense", r#"["nonsense",{}]"#),
        ("", r#"["",{}]"#),
        ("send", &format!(r#"["send",{deep}]"#)),
    ] {
        raw.event(packet).await;
        let rejected = raw.rejection().await;
        assert_eq!((rejected.of.as_str(), rejected.code), (of, Code::Invalid), "{packet}");
    }
    scene.assert_unharmed().await;
}

/// Frames that aren't Socket.IO: the server may drop the connection, and nobody else's.
#[tokio::test]
async fn frames_that_are_none() {
    let scene = Scene::set().await;
    let who = SignIn::patient(&scene.server.url(), LUCIA);
    for garbage in [
        "",
        "4",
        "42",
        "42/patient,",
        "42/patient,[",
        "42/patient,{}",
        "42/patient,[]",
        "42/patient,[1]",
        "42/nowhere,[\"send\"]",
        "40/nowhere,{}",
        "43/patient,9[]",
        "451-/patient,[\"send\",{\"_placeholder\":true,\"num\":0}]",
        "9",
        "6",
        "\u{0}",
        "{",
        "42/patient,[\"send\",{\"id\":\"\\uD800\"",
        "42/patient,99999999999999999999[\"send\",{}]",
    ] {
        let mut raw = Raw::sign_in(&who).await;
        raw.text(garbage).await;
        raw.binary(garbage.as_bytes()).await;
    }
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn two_hundred_in_a_burst() {
    let scene = Scene::set().await;
    let mut andre = scene.patient(ANDRE).await;
    let own = andre.conversation.clone().unwrap();
    let sends: Vec<_> = (0..200).map(|number| send(&own, Body::text(format!("message {number}")))).collect();
    for send in &sends {
        andre.emit(ClientFrame::Send(send.clone()));
    }
    let mut waiting: BTreeSet<_> = sends.iter().map(|send| send.id).collect();
    let mut taken = BTreeSet::new();
    // A refusal needs no disk, and overtakes.
    while !waiting.is_empty() {
        let (id, answer) = andre.answers(|id| waiting.contains(&id)).await;
        waiting.remove(&id);
        match answer {
            Ok(entry) => assert!(taken.insert(entry.id)),
            Err(rejected) => {
                assert_eq!(rejected.code, Code::RateLimited);
                assert!(rejected.retry_after_ms.is_some_and(|wait| (1..60_000).contains(&wait)));
            }
        }
    }
    // The burst, and the few that time allowed meanwhile.
    let burst = 2 * usize::try_from(Limits::default().sends_per_s).unwrap();
    assert!((burst..150).contains(&taken.len()), "{} were taken", taken.len());
    let log = Log::of_server(&scene.server);
    let theirs = |entry: &&bedside_protocol::Entry| entry.conversation == own;
    let ids: BTreeSet<_> = log.messages().filter(theirs).map(|entry| entry.id).collect();
    assert_eq!(ids, taken);
    scene.assert_added(log.0.len()).await;
}
