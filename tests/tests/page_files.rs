//! Files on the patients' page: a browser, a real server, and a provider over the wire.

use bedside_protocol::{Amend, Body, ClientFrame, Entry, EntryId, Extra, File, Send, Seq};
use bedside_tests::cast::{AMARA, MARTHA};
use bedside_tests::chat::{SignIn, new_id};
use bedside_tests::log::Log;
use bedside_tests::page::Page;
use bedside_tests::server::Server;
use bedside_tests::wire::Wire;
use serde_json::Value;
use sha2::{Digest, Sha256};

const FILES: &str = "[data-testid=files]";
const SENT: &str = "[data-testid=message][data-author=patient][data-state=sent] [data-testid=file]";
const RECEIVED: &str = "[data-testid=message][data-author=provider] [data-testid=file]";
const REFUSED: &str = "[data-testid=message][data-state=refused]";

/// A PNG of one pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63,
    0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1, 0xff, 0x89, 0x99, 0x3d, 0x1d, 0, 0, 0, 0, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];

async fn patient(server: &Server) -> Page {
    let page = Page::browser(&server.url()).await;
    page.write("[data-testid=name-input]", MARTHA).await;
    page.click("[data-testid=name-submit]").await;
    page.find("[data-testid=status][data-link=live]").await;
    page.find("[data-testid=attach]:not([hidden])").await;
    page
}

/// Pictures that are on the screen with their pixels.
async fn pictures(page: &Page, css: &str) -> usize {
    let script = "return [...document.querySelectorAll(arguments[0] + ' img')]
        .filter((image) => image.complete && image.naturalWidth > 0).length";
    page.ask(script, css).await
}

fn files(server: &Server) -> Vec<File> {
    let file = |entry: &Entry| match &entry.body {
        Body::File(file) => Some(file.clone()),
        _ => None,
    };
    Log::of_server(server).messages().filter_map(file).collect()
}

/// The provider, with a token for the bytes of files.
struct Provider {
    wire: Wire,
    token: String,
    server: String,
}

impl Provider {
    async fn of(server: &Server) -> Self {
        let who = SignIn::provider(&server.url(), AMARA);
        let token = who.insist().await.unwrap().token;
        Self { wire: Wire::sign_in(&who).await, token, server: server.url() }
    }

    fn blob(&self, sha256: &str) -> String {
        format!("{}/api/blobs/{sha256}", self.server)
    }

    async fn get(&self, sha256: &str) -> Vec<u8> {
        let client = reqwest::Client::new();
        let answer = client.get(self.blob(sha256)).bearer_auth(&self.token).send().await.unwrap();
        answer.error_for_status().unwrap().bytes().await.unwrap().to_vec()
    }

    async fn send(&mut self, body: Body) -> EntryId {
        let changes = self.wire.changes(Default::default()).await;
        let (id, conversation) = (new_id(), changes.conversations[0].id.clone());
        let send = Send { id, conversation, seen: Seq::MAX, body, from: None, force: false };
        self.wire.emit(ClientFrame::Send(send));
        self.wire.answer(id).await.unwrap().id
    }

    async fn attach(&mut self, name: &str, media_type: &str, bytes: &'static [u8]) -> EntryId {
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let put = reqwest::Client::new().put(self.blob(&sha256)).bearer_auth(&self.token).body(bytes);
        put.send().await.unwrap().error_for_status().unwrap();
        let (name, media_type, extra) = (name.to_owned(), media_type.to_owned(), Extra::new());
        self.send(Body::File(File { sha256, name, media_type, bytes: bytes.len() as u64, extra })).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_up_is_shown_and_survives_a_restart() {
    let mut server = Server::start().await;
    let page = patient(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("rash <b>.png");
    std::fs::write(&photo, PIXEL).unwrap();
    page.write(FILES, photo.to_str().unwrap()).await;
    page.shows(SENT, "rash <b>.png · 70 bytes").await;
    page.until("the picture is shown", async || pictures(&page, SENT).await == 1).await;
    assert_eq!(page.inaccessible().await, Vec::<String>::new());
    let sent = files(&server);
    assert_eq!(
        (sent.len(), sent[0].name.as_str(), sent[0].media_type.as_str()),
        (1, "rash <b>.png", "image/png")
    );
    let provider = Provider::of(&server).await;
    assert_eq!(provider.get(&sent[0].sha256).await, PIXEL);

    server.kill();
    server.start_again().await;
    page.reload().await;
    page.until("the picture is shown again", async || pictures(&page, SENT).await == 1).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pasted_or_dropped_goes_up_and_what_comes_is_named_and_harmless() {
    let server = Server::start().await;
    let page = patient(&server).await;
    let hand_over = "const data = new DataTransfer();
        data.items.add(new File(['one'], 'one.txt', { type: 'text/plain' }));
        const composer = document.getElementById('composer');
        composer.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        const more = new DataTransfer();
        more.items.add(new File(['two'], 'two.pdf', { type: 'application/pdf' }));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: more, bubbles: true, cancelable: true }))";
    page.ask::<Value>(hand_over, Value::Null).await;
    page.shows(SENT, "one.txt · 3 bytes").await;
    page.shows(SENT, "two.pdf · 3 bytes").await;

    let mut provider = Provider::of(&server).await;
    provider.attach("x\u{202e}gpj.exe", "application/octet-stream", b"not a picture").await;
    page.shows(RECEIVED, "x\u{fffd}gpj.exe · 13 bytes").await;
    let drawing = provider.attach("drawing.png", "image/png", PIXEL).await;
    page.until("the picture is shown", async || pictures(&page, RECEIVED).await == 1).await;
    // What claims to be a document that a browser would run is no picture.
    provider.attach("page.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>").await;
    page.shows(RECEIVED, "page.svg").await;
    assert_eq!(pictures(&page, RECEIVED).await, 1);
    // What was taken back is there no more.
    provider.send(Body::Amend(Amend { target: drawing, text: None, extra: Extra::new() })).await;
    page.count(&format!("{RECEIVED} img"), 0).await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_go_up_says_why_and_goes_up_later() {
    let mut server = Server::start_with(&["--file-bytes", "100"]).await;
    let page = patient(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let (large, photo) = (folder.path().join("large.png"), folder.path().join("rash.png"));
    std::fs::write(&large, [0; 101]).unwrap();
    std::fs::write(&photo, PIXEL).unwrap();
    page.write(FILES, large.to_str().unwrap()).await;
    page.shows("#complaint", "“large.png” is too large to send: a file has at most 100 bytes.").await;

    // The bytes can't be kept where they lie: the folder is a file for a while.
    let blobs = server.data().join("blobs/at-riverside");
    std::fs::write(&blobs, "").unwrap();
    page.write(FILES, photo.to_str().unwrap()).await;
    page.shows(REFUSED, "Not uploaded: the server is busy.").await;
    std::fs::remove_file(&blobs).unwrap();
    page.click(&format!("{REFUSED} .does button")).await;
    page.shows(SENT, "rash.png").await;
    assert_eq!(files(&server).len(), 1);

    // Without a network it waits, and goes by itself.
    server.kill();
    page.find("[data-testid=status]:not([data-link=live])").await;
    std::fs::write(&photo, [PIXEL, b"again"].concat()).unwrap();
    page.write(FILES, photo.to_str().unwrap()).await;
    page.shows("[data-state=uploading]", "keep this page open").await;
    server.start_again().await;
    page.count(SENT, 2).await;
    page.close().await;
}
