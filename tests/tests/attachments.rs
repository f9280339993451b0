//! Files between a console and a patient: whole, once, in their place, also over a line that breaks and while there is none.

use bedside_client::api::{Command, Failure, Item, OutgoingState, Reply};
use bedside_client::{Attachment, Client, Content, Place};
use bedside_protocol::{Body, ClientFrame, ConversationId, Entry, File, Send, Seq};
use bedside_tests::cast;
use bedside_tests::chat::{SignIn, new_id};
use bedside_tests::client::{amara, shown};
use bedside_tests::keychain::{connection, files};
use bedside_tests::program::eventually;
use bedside_tests::proxy::{Proxy, Weather};
use bedside_tests::server::Server;
use bedside_tests::wire::Wire;
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};

/// Some bytes that no compression and no text tool leaves alone by luck.
fn photo(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8 ^ seed ^ (n >> 8) as u8).collect()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A patient, with the token that HTTP wants.
struct Patient {
    server: String,
    token: String,
    wire: Wire,
    conversation: ConversationId,
}

impl Patient {
    async fn new(server: &str, name: &str) -> Self {
        let who = SignIn::patient(server, name);
        let token = who.ask().await.expect("a demonstration server").token;
        let mut wire = Wire::sign_in(&who).await;
        let conversation = wire.conversation.clone().expect("a patient has a conversation");
        wire.say(&conversation, "hello").await;
        Self { server: server.to_owned(), token, wire, conversation }
    }

    async fn get(&self, sha256: &str) -> Response {
        let url = format!("{}/api/blobs/{sha256}", self.server);
        reqwest::Client::new().get(url).bearer_auth(&self.token).send().await.expect("the server")
    }

    async fn send_file(&mut self, name: &str, bytes: Vec<u8>) -> Entry {
        let sha256 = digest(&bytes);
        let file = File {
            sha256: sha256.clone(),
            name: name.to_owned(),
            media_type: "image/png".to_owned(),
            bytes: bytes.len() as u64,
            extra: Default::default(),
        };
        let url = format!("{}/api/blobs/{sha256}", self.server);
        let put = reqwest::Client::new().put(url).bearer_auth(&self.token).body(bytes).send().await;
        assert_eq!(put.expect("the server").status(), StatusCode::CREATED);
        let id = new_id();
        self.wire.emit(ClientFrame::Send(Send {
            id,
            conversation: self.conversation.clone(),
            seen: Seq::MAX,
            body: Body::File(file),
            from: None,
            force: false,
        }));
        self.wire.answer(id).await.expect("a good file")
    }

    /// What comes next from the clinic: files by their digests, texts as they are.
    async fn hear(&mut self, many: usize) -> Vec<String> {
        let mut heard = Vec::new();
        while heard.len() < many {
            let word = self.wire.until("a word of the clinic's", |frame| match frame {
                bedside_protocol::ServerFrame::Entry(frame) => match frame.entry.body {
                    Body::Text(text) => Some(text.text),
                    Body::File(file) => Some(file.sha256),
                    _ => None,
                },
                _ => None,
            });
            heard.push(word.await);
        }
        heard
    }
}

async fn attach(client: &Client, conversation: &ConversationId, name: &str, bytes: &[u8]) {
    let attachment = Attachment {
        conversation: conversation.clone(),
        name: name.to_owned(),
        media_type: "image/png".to_owned(),
        bytes: bytes.to_owned(),
    };
    client.attach(attachment).await.expect("kept");
}

async fn send(client: &Client, to: &ConversationId, text: &str, files: &[&[u8]]) -> Result<Reply, Failure> {
    let files = files.iter().map(|bytes| digest(bytes)).collect();
    let (conversation, text) = (to.clone(), text.to_owned());
    client.call(Command::Send { conversation, text, files, seen: Seq::MAX, hold_ms: 0 }).await
}

fn place(conversation: &ConversationId, of: &str) -> Place {
    format!("{conversation}/{of}").parse().expect("a place")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_attached_without_a_network_outlives_the_program_and_goes_out_once_in_its_order() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let client = amara(folder.path(), &server.url()).await;
    let patient = Patient::new(&server.url(), cast::MARTHA).await;
    let conversation = patient.conversation.clone();
    shown(&client, &conversation, |items, _| (items.len() >= 2).then_some(())).await;
    server.kill();
    drop(patient);

    let (first, second) = (photo(1, 300_000), photo(2, 70_001));
    attach(&client, &conversation, "rash.png", &first).await;
    attach(&client, &conversation, "letter.pdf", &second).await;
    attach(&client, &conversation, "rash.png", &first).await;
    drop(client);
    let client = amara(folder.path(), &server.url()).await;
    let names = shown(&client, &conversation, |_, files| {
        (files.len() == 2).then(|| files.iter().map(|file| file.name.clone()).collect::<Vec<_>>())
    });
    assert_eq!(names.await, ["rash.png", "letter.pdf"]);
    let elsewhere = ConversationId::new("conversation-of-somebody-else").expect("an id");
    assert_eq!(send(&client, &elsewhere, "", &[&first]).await, Err(Failure::NotFound));
    assert!(send(&client, &conversation, "as you see", &[&first, &second]).await.is_ok());
    let attached = shown(&client, &conversation, |items, files| (items.len() >= 5).then_some(files.len()));
    assert_eq!(attached.await, 0);

    server.start_again().await;
    let who = SignIn::patient(&server.url(), cast::MARTHA);
    let token = who.ask().await.expect("a demonstration server").token;
    let mut patient = Patient {
        server: server.url(),
        token,
        wire: Wire::sign_in(&who).await,
        conversation: conversation.clone(),
    };
    let sent = shown(&client, &conversation, |items, _| {
        let entries: Vec<Entry> = items
            .iter()
            .filter_map(|item| match item {
                Item::Entry { entry } => Some(entry.clone()),
                Item::Outgoing { .. } => None,
            })
            .collect();
        (entries.len() == 5 && items.len() == 5).then_some(entries)
    })
    .await;
    let kinds: Vec<_> = sent.iter().map(|entry| entry.preview.as_str()).collect();
    assert_eq!(kinds[2..], ["File: rash.png", "File: letter.pdf", "as you see"]);
    let answer = patient.wire.entries(&conversation, Seq::new(1), Seq::new(9)).await;
    assert_eq!(answer.entries.len(), 5, "each once");
    for bytes in [&first, &second] {
        let got = patient.get(&digest(bytes)).await.bytes().await.expect("the bytes");
        assert_eq!(&got[..], bytes.as_slice());
    }
    // Another patient knows nothing of it.
    let other = Patient::new(&server.url(), cast::ANDRE).await;
    assert_eq!(other.get(&digest(&first)).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patients_file_is_fetched_once_and_then_here_without_a_network() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let client = amara(folder.path(), &server.url()).await;
    let mut patient = Patient::new(&server.url(), cast::LUCIA).await;
    let (seen, unseen) = (photo(3, 500_000), photo(4, 1_000));
    let first = patient.send_file("rash.png", seen.clone()).await;
    let second = patient.send_file("never looked at.png", unseen).await;
    let conversation = patient.conversation.clone();
    shown(&client, &conversation, |items, _| (items.len() >= 4).then_some(())).await;
    let at = |entry: &Entry| place(&conversation, &entry.id.to_string());
    let Content { file, bytes } = client.content(at(&first)).await.expect("the file");
    assert_eq!((file.name.as_str(), bytes), ("rash.png", seen.clone()));
    server.kill();
    drop(client);
    let client = amara(folder.path(), &server.url()).await;
    assert_eq!(client.content(at(&first)).await.map(|content| content.bytes), Ok(seen));
    assert_eq!(client.content(at(&second)).await, Err(Failure::Offline));
    // Nor does a window that is locked get one.
    let passphrase = Command::SetPassphrase { current: None, new: "four green apples".into() };
    client.call(passphrase).await.expect("a passphrase");
    client.call(Command::Lock).await.expect("locked");
    assert_eq!(client.content(at(&first)).await, Err(Failure::Locked));
    client.call(Command::Unlock { passphrase: "four green apples".into() }).await.expect("unlocked");
    // A message of one conversation isn't one of another.
    let elsewhere = ConversationId::new("conversation-of-somebody-else").expect("an id");
    let wrong = client.content(place(&elsewhere, &first.id.to_string())).await;
    assert_eq!(wrong, Err(Failure::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_over_a_line_that_breaks_arrives_whole_and_holds_up_nobody_else() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let client = amara(folder.path(), &proxy.url()).await;
    let mut martha = Patient::new(&server.url(), cast::MARTHA).await;
    let mut andre = Patient::new(&server.url(), cast::ANDRE).await;
    for patient in [&martha, &andre] {
        shown(&client, &patient.conversation, |items, _| (items.len() >= 2).then_some(())).await;
    }
    // A minute for the file, and a moment for a message.
    proxy.set(Weather::Slow(400_000));
    let bytes = photo(5, 3_000_000);
    attach(&client, &martha.conversation, "scan.png", &bytes).await;
    assert!(send(&client, &martha.conversation, "after it", &[&bytes]).await.is_ok());
    let uploading = |items: &[Item], _: &[File]| {
        items.iter().find_map(|item| match item {
            Item::Outgoing { outgoing } => match outgoing.state {
                // How much of it the network's own buffers have taken is theirs.
                OutgoingState::Uploading { sent } if 0 < sent => Some(()),
                _ => None,
            },
            Item::Entry { .. } => None,
        })
    };
    shown(&client, &martha.conversation, uploading).await;
    assert!(send(&client, &andre.conversation, "meanwhile", &[]).await.is_ok());
    assert_eq!(andre.hear(1).await, ["meanwhile"]);
    // In the middle of it.
    proxy.cut();
    proxy.set(Weather::Clear);
    assert_eq!(martha.hear(2).await, [digest(&bytes), "after it".to_owned()]);
    let got = martha.get(&digest(&bytes)).await.bytes().await.expect("the bytes");
    assert_eq!(&got[..], bytes.as_slice());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_empty_or_too_many_is_refused_and_loses_nothing() {
    let server = Server::start_with(&["--file-bytes", "1000"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let client = amara(folder.path(), &server.url()).await;
    let patient = Patient::new(&server.url(), cast::MARTHA).await;
    let conversation = patient.conversation.clone();
    shown(&client, &conversation, |items, _| (items.len() >= 2).then_some(())).await;
    let attachment = |bytes: Vec<u8>| Attachment {
        conversation: conversation.clone(),
        name: "a".into(),
        media_type: String::new(),
        bytes,
    };
    for bytes in [photo(1, 1001), vec![]] {
        let refused = client.attach(attachment(bytes)).await;
        assert_eq!(refused, Err(Failure::BadFile { file_bytes: 1000 }));
    }
    for n in 0..10 {
        assert!(client.attach(attachment(photo(n, 1000))).await.is_ok());
    }
    assert_eq!(client.attach(attachment(photo(10, 1000))).await, Err(Failure::TooManyFiles { most: 10 }));
    let detach = Command::Detach { conversation: conversation.clone(), sha256: digest(&photo(0, 1000)) };
    client.call(detach).await.expect("taken off");
    assert_eq!(shown(&client, &conversation, |_, files| Some(files.len())).await, 9);
    assert!(client.attach(attachment(photo(10, 1000))).await.is_ok());
}

/// An account of a version that knew no files, or of a server that took smaller ones, hears of it at the next welcome.
#[tokio::test(flavor = "multi_thread")]
async fn a_servers_limits_are_those_of_its_last_welcome() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let client = amara(folder.path(), &server.url()).await;
    let patient = Patient::new(&server.url(), cast::MARTHA).await;
    let conversation = patient.conversation.clone();
    shown(&client, &conversation, |items, _| (items.len() >= 2).then_some(())).await;
    drop(client);
    eventually("the cache is free", async || {
        let forget = "UPDATE account SET limits = json_remove(limits, '$.file_bytes')";
        connection(&files(folder.path())).execute(forget, []).is_ok_and(|rows| rows == 1)
    })
    .await;
    let client = amara(folder.path(), &server.url()).await;
    let attachment = || Attachment {
        conversation: conversation.clone(),
        name: "a".into(),
        media_type: String::new(),
        bytes: photo(1, 10),
    };
    eventually("it takes files", async || client.attach(attachment()).await.is_ok()).await;
    drop(client);
    // And keeps it.
    eventually("the cache is free", async || {
        let limits = "SELECT limits ->> '$.file_bytes' FROM account";
        let kept =
            connection(&files(folder.path())).query_row(limits, [], |row| row.get::<_, Option<u32>>(0));
        kept.is_ok_and(|bytes| bytes.is_some())
    })
    .await;
}

/// What is taken back goes no further, whatever of it is on its way.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ends_when_its_file_is_taken_back() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let client = amara(folder.path(), &proxy.url()).await;
    let patient = Patient::new(&server.url(), cast::MARTHA).await;
    let conversation = patient.conversation.clone();
    shown(&client, &conversation, |items, _| (items.len() >= 2).then_some(())).await;
    let before = proxy.open();
    proxy.set(Weather::Slow(400_000));
    // More than the network's own buffers take.
    let bytes = photo(5, 18_000_000);
    attach(&client, &conversation, "scan.png", &bytes).await;
    assert!(send(&client, &conversation, "", &[&bytes]).await.is_ok());
    let id = shown(&client, &conversation, |items, _| {
        items.iter().find_map(|item| match item {
            Item::Outgoing { outgoing } => match outgoing.state {
                OutgoingState::Uploading { sent } if 0 < sent => Some(outgoing.id),
                _ => None,
            },
            Item::Entry { .. } => None,
        })
    })
    .await;
    client.call(Command::Recall { id }).await.expect("taken back");
    proxy.set(Weather::Clear);
    eventually("its connection is gone", async || proxy.open() <= before).await;
    assert_eq!(shown(&client, &conversation, |_, files| Some(files.len())).await, 1);
    let clinics = std::fs::read_dir(server.data().join("blobs")).expect("a folder");
    let clinics = clinics.map(|clinic| clinic.expect("a folder").path());
    let pieces = |clinic| std::fs::read_dir(clinic).expect("a folder").count();
    let clinics: Vec<_> = clinics.collect();
    eventually("the server keeps nothing of it", async || clinics.iter().map(pieces).sum::<usize>() == 0)
        .await;
}
