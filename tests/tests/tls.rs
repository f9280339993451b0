//! A server behind TLS, as a clinic runs it: the console believes a certificate of an authority that it was told to
//! trust, for the server's own name, in its time; to nobody else does it say a word.

use bedside_client::api::{Command, Failure, Item, Reply};
use bedside_client::{Attachment, Place, Trust};
use bedside_protocol::Seq;
use bedside_tests::cast::{AMARA, MARTHA};
use bedside_tests::chat::SignIn;
use bedside_tests::client::{shown, start};
use bedside_tests::console::Console;
use bedside_tests::keychain::setup;
use bedside_tests::log::Log;
use bedside_tests::program::eventually;
use bedside_tests::proxy::Proxy;
use bedside_tests::server::Server;
use bedside_tests::tls::{Authority, Validity};
use bedside_tests::trust;
use tempfile::{NamedTempFile, TempDir};

/// A server, an authority, and its certificate in a file.
struct Clinic {
    server: Server,
    authority: Authority,
    ca_file: NamedTempFile,
    token: String,
}

impl Clinic {
    async fn open() -> Self {
        let server = Server::start().await;
        let authority = Authority::new();
        let ca_file = NamedTempFile::new().expect("a file");
        std::fs::write(ca_file.path(), authority.pem()).expect("a file that can be written");
        let amara = SignIn::provider(&server.url(), AMARA).ask().await.expect("a demonstration server");
        Self { server, authority, ca_file, token: amara.token }
    }

    /// A TLS proxy with a certificate of the clinic's authority.
    async fn proxy(&self, names: &[&str], validity: Validity) -> Proxy {
        Proxy::start_tls(&self.server.url(), self.authority.acceptor(names, validity)).await
    }

    /// A console that trusts the clinic's authority.
    fn console(&self) -> Console {
        let ca_file = self.ca_file.path().to_str().expect("a path that is text");
        Console::start_with(env!("CARGO_BIN_EXE_console"), &["--ca-file", ca_file])
    }

    async fn sign_in(&self, console: &Console, host: &str, proxy: &Proxy) -> Result<Reply, Failure> {
        let server = format!("https://{host}:{}", proxy.port());
        let command = Command::SignIn { server, token: self.token.clone() };
        console.call(&command).await.expect("the console runs")
    }

    /// Refused, and the server has not heard a byte: above all not the token.
    async fn assert_refused(&self, console: &Console, host: &str, proxy: &Proxy) {
        assert_eq!(self.sign_in(console, host, proxy).await, Err(Failure::Unreachable));
        assert!(0 < proxy.connections(), "the console tried");
        assert_eq!(proxy.to_server(), 0, "and said nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_certificate_signs_in_and_messages_go_through() {
    let clinic = Clinic::open().await;
    let martha = SignIn::patient(&clinic.server.url(), MARTHA).ask().await.expect("a demonstration server");
    let conversation = martha.conversation.expect("a patient has a conversation");
    for host in ["localhost", "127.0.0.1"] {
        let proxy = clinic.proxy(&["localhost", "127.0.0.1"], Validity::Good).await;
        let console = clinic.console();
        assert_eq!(clinic.sign_in(&console, host, &proxy).await, Ok(Reply::Done));
        let id = console.write(&conversation, &format!("over TLS to {host}"), Seq::MAX).await;
        let heard = |log: Log| log.0.iter().filter(|entry| entry.id == id).count() == 1;
        eventually("the message is in the server's log", async || heard(Log::of_server(&clinic.server)))
            .await;
        eventually("it is in the console's cache", async || heard(console.log())).await;
        eventually("nothing waits", async || console.outbox() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_nobody_named_is_not_believed() {
    let clinic = Clinic::open().await;
    let proxy = clinic.proxy(&["localhost"], Validity::Good).await;
    let console = Console::start(env!("CARGO_BIN_EXE_console"));
    clinic.assert_refused(&console, "localhost", &proxy).await;
    // Nor is another one than the one that was named.
    let other = Authority::new().acceptor(&["localhost"], Validity::Good);
    let proxy = Proxy::start_tls(&clinic.server.url(), other).await;
    clinic.assert_refused(&clinic.console(), "localhost", &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_is_not_believed() {
    let clinic = Clinic::open().await;
    let proxy = clinic.proxy(&["chat.clinic.example"], Validity::Good).await;
    let console = clinic.console();
    for host in ["localhost", "127.0.0.1"] {
        clinic.assert_refused(&console, host, &proxy).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_not_believed() {
    let clinic = Clinic::open().await;
    let proxy = clinic.proxy(&["localhost"], Validity::Expired).await;
    clinic.assert_refused(&clinic.console(), "localhost", &proxy).await;
}

/// The bytes of files go over HTTP, by the same trust as the messages.
#[tokio::test(flavor = "multi_thread")]
async fn files_go_by_the_same_trust() {
    let clinic = Clinic::open().await;
    let proxy = clinic.proxy(&["localhost"], Validity::Good).await;
    let martha = SignIn::patient(&clinic.server.url(), MARTHA).ask().await.expect("a demonstration server");
    let conversation = martha.conversation.expect("a patient has a conversation");
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let console = async |folder: &TempDir, trust: fn(&Clinic) -> Trust| {
        let client = start(|| setup(folder.path(), trust(&clinic))).await;
        let server = format!("https://localhost:{}", proxy.port());
        let signed_in = client.call(Command::SignIn { server, token: clinic.token.clone() }).await;
        assert!(signed_in.is_ok() || signed_in == Err(Failure::SignedIn), "{signed_in:?}");
        client
    };
    let trusting =
        |clinic: &Clinic| Trust::with_authorities(clinic.authority.pem().as_bytes()).expect("an authority");
    let bytes = vec![7; 100_000];
    let first = console(&folders[0], trusting).await;
    let attachment = Attachment {
        conversation: conversation.clone(),
        name: "letter.pdf".into(),
        media_type: "application/pdf".into(),
        bytes: bytes.clone(),
    };
    shown(&first, &conversation, |_, _| Some(())).await;
    first.attach(attachment).await.expect("kept");
    let files = shown(&first, &conversation, |_, files| (!files.is_empty()).then(|| files.to_vec())).await;
    let files = files.into_iter().map(|file| file.sha256).collect();
    let (text, seen) = (String::new(), Seq::MAX);
    let send = Command::Send { conversation: conversation.clone(), text, files, seen, hold_ms: 0 };
    first.call(send).await.expect("kept");
    let id = |items: &[Item]| match items {
        [Item::Entry { entry }] => Some(entry.id),
        _ => None,
    };
    let id = shown(&first, &conversation, |items, _| id(items)).await;

    // Another computer, which has the message and not the bytes.
    let second = console(&folders[1], trusting).await;
    shown(&second, &conversation, |items, _| (!items.is_empty()).then_some(())).await;
    drop((first, second));
    eventually("all have hung up", async || proxy.open() == 0).await;
    let said = proxy.to_server();
    let place: Place = format!("{conversation}/{id}").parse().expect("a place");
    let untrusting = start(|| setup(folders[1].path(), trust())).await;
    assert_eq!(untrusting.content(place.clone()).await, Err(Failure::Offline));
    assert_eq!(proxy.to_server(), said, "it said nothing, above all not the token");
    drop(untrusting);
    let second = console(&folders[1], trusting).await;
    assert_eq!(second.content(place).await.map(|content| content.bytes), Ok(bytes));
}
