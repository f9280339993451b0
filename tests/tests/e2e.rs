//! From end to end: the patient in a browser, the server, and the real window.

use bedside_tests::cast::{LUCIA, MARTHA};
use bedside_tests::chat::SignIn;
use bedside_tests::desktop::Desktop;
use bedside_tests::log::Log;
use bedside_tests::page::Page;
use bedside_tests::server::Server;
use bedside_tests::wire::Wire;
use tempfile::TempDir;

/// A message of a conversation, in the window.
const ITEM: &str = "[data-testid=item][data-kind=text]";
/// One that the server has committed.
const SENT: &str = "[data-testid=item][data-kind=text][data-state=sent]";
/// One that can still be taken back.
const HELD: &str = "[data-testid=item][data-state=held]";
/// One that waits on this computer.
const WAITING: &str = "[data-testid=item][data-state=waiting]";
/// A message on the patients' page.
const MESSAGE: &str = "[data-testid=message]";
/// The provider's.
const REPLY: &str = "[data-testid=message][data-author=provider]";
/// The patient's own, committed.
const COMMITTED: &str = "[data-testid=message][data-state=sent]";
const ROW: &str = "[data-testid=inbox-row]";
const COMPOSER: &str = "[data-testid=composer]";
const SEARCH: &str = "[data-testid=search]";
const RESULT: &str = "[data-testid=result]";
const SEND: &str = "[data-testid=send]";

/// What a console needs: a screen and a place for its cache.
struct Desk {
    desktop: Desktop,
    folder: TempDir,
}

impl Desk {
    fn set() -> Self {
        Self { desktop: Desktop::open(), folder: tempfile::tempdir().unwrap() }
    }

    async fn window(&self, more: &[&str]) -> Page {
        let data = self.folder.path().join("cache");
        let data = data.to_str().unwrap();
        Page::window(&self.desktop, &[&["--data", data], more].concat()).await
    }

    /// The window, signed in at the demonstration.
    async fn demo(&self, server: &Server) -> Page {
        let window = self.window(&["--demo", &server.url()]).await;
        window.find("[data-testid=status][data-link=live]").await;
        window
    }
}

async fn patient(server: &Server, name: &str) -> Page {
    let page = Page::browser(&server.url()).await;
    page.write("[data-testid=name-input]", name).await;
    page.click("[data-testid=name-submit]").await;
    page.find(COMPOSER).await;
    page
}

/// Opens the only conversation.
async fn open(window: &Page) {
    window.click(ROW).await;
}

async fn say(page: &Page, text: &str) {
    page.write(COMPOSER, text).await;
    page.click(SEND).await;
}

/// The rooms of the house, one after the other: each step sees what the one before it did.
#[tokio::test(flavor = "multi_thread")]
async fn the_loop_works_and_survives_a_restart_of_both_sides() {
    let mut server = Server::start().await;
    let desk = Desk::set();
    let window = desk.demo(&server).await;
    let browser = patient(&server, MARTHA).await;

    say(&browser, "My ankles are swollen").await;
    browser.shows(COMMITTED, "My ankles are swollen").await;
    window.shows(ROW, MARTHA).await;
    open(&window).await;
    window.shows(SENT, "My ankles are swollen").await;

    say(&window, "Since when?").await;
    window.shows(SENT, "Since when?").await;
    browser.shows(REPLY, "Since when?").await;
    browser.find("[data-testid=message][data-author=patient][data-read=true]").await;

    // The console ends in the middle of its work, and so does the server.
    window.kill();
    server.kill();
    server.start_again().await;
    let window = desk.window(&[]).await;
    window.find("[data-testid=status][data-link=live]").await;
    open(&window).await;
    browser.reload().await;
    say(&browser, "Since Tuesday").await;
    browser.shows(COMMITTED, "Since Tuesday").await;
    for text in ["My ankles are swollen", "Since when?", "Since Tuesday"] {
        window.shows(SENT, text).await;
        browser.shows(MESSAGE, text).await;
        assert_eq!(window.times(ITEM, text).await, 1, "{text} in the window");
        assert_eq!(browser.times(MESSAGE, text).await, 1, "{text} on the page");
    }
    assert_eq!(Log::of_server(&server).messages().count(), 3);
    window.close().await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_opens_from_the_cache_without_a_network() {
    let mut server = Server::start().await;
    let desk = Desk::set();
    let mut lucia = Wire::sign_in(&SignIn::patient(&server.url(), LUCIA)).await;
    let conversation = lucia.conversation.clone().unwrap();
    lucia.say(&conversation, "The rash is on both arms now").await;
    let window = desk.demo(&server).await;
    open(&window).await;
    window.shows(SENT, "The rash is on both arms now").await;
    window.close().await;

    server.kill();
    let window = desk.window(&[]).await;
    window.shows(ROW, LUCIA).await;
    open(&window).await;
    window.shows(SENT, "The rash is on both arms now").await;
    window.find("[data-testid=status][data-link=offline]").await;
    window.shows("[data-testid=status]", "Offline").await;

    // Found without a network, in its place, with words on what was searched.
    window.write(SEARCH, "ras").await;
    window.shows(RESULT, "The rash is on both arms now").await;
    window.shows("[data-testid=search-sum]", "Searched the one conversation on this computer").await;
    window.click(RESULT).await;
    window.shows("[data-testid=item][data-target]", "The rash is on both arms now").await;
    window.click("search button").await;
    window.shows(ROW, LUCIA).await;

    // What is written now waits here, also through an end of the window, and goes out once.
    say(&window, "Please stop the amoxicillin").await;
    window.shows(WAITING, "Please stop the amoxicillin").await;
    window.kill();
    let window = desk.window(&[]).await;
    open(&window).await;
    window.shows(WAITING, "Please stop the amoxicillin").await;
    server.start_again().await;
    window.shows(SENT, "Please stop the amoxicillin").await;
    window.count(ITEM, 2).await;
    assert_eq!(Log::of_server(&server).messages().count(), 2);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_can_be_taken_back_and_one_that_came_too_late_is_sent_knowingly() {
    let server = Server::start().await;
    let desk = Desk::set();
    let mut martha = Wire::sign_in(&SignIn::patient(&server.url(), MARTHA)).await;
    let conversation = martha.conversation.clone().unwrap();
    martha.say(&conversation, "May I take it with milk?").await;
    let window = desk.demo(&server).await;
    open(&window).await;

    say(&window, "Yes, with milk").await;
    window.shows(HELD, "Yes, with milk").await;
    // The first of its acts: Undo.
    window.click("[data-state=held] .acts button").await;
    window.count(HELD, 0).await;
    let typed = "return document.querySelector(arguments[0]).value";
    window
        .until("the text is back", async || window.ask::<String>(typed, COMPOSER).await == "Yes, with milk")
        .await;

    // Sent again; and before it goes out, the patient writes.
    window.click(SEND).await;
    window.shows(HELD, "Yes, with milk").await;
    martha.say(&conversation, "Or rather with grapefruit juice?").await;
    window.shows("[data-testid=behind]", "Or rather with grapefruit juice?").await;
    assert_eq!(Log::of_server(&server).messages().count(), 2, "nothing of it is in the log");
    // The first of what can be done: send it all the same.
    window.click("[data-testid=behind] button").await;
    window.shows(SENT, "Yes, with milk").await;
    window.count("[data-testid=behind]", 0).await;
    assert_eq!(Log::of_server(&server).messages().count(), 3);
    window.close().await;
}

/// Ctrl and L, as WebDriver has it: Control down, the key, all up.
const CTRL_L: &str = "\u{e009}l\u{e000}";

/// What is locked shows nothing of a patient, also after a restart, until its passphrase is given.
#[tokio::test(flavor = "multi_thread")]
async fn the_window_locks_and_opens_by_its_passphrase_alone() {
    let server = Server::start().await;
    let desk = Desk::set();
    let mut martha = Wire::sign_in(&SignIn::patient(&server.url(), MARTHA)).await;
    let conversation = martha.conversation.clone().unwrap();
    martha.say(&conversation, "My ankles are swollen").await;
    let window = desk.demo(&server).await;
    open(&window).await;
    window.shows(SENT, "My ankles are swollen").await;
    window.write(COMPOSER, "Since when").await;

    // There is nothing to lock with yet: that is chosen first.
    window.write(COMPOSER, CTRL_L).await;
    window.write("[data-testid=passphrase-new]", "four green apples").await;
    window.write("[data-testid=passphrase-again]", "four green apples").await;
    window.click("[data-testid=passphrase-submit]").await;
    window.count("[data-testid=passphrase-new]", 0).await;
    window.write(COMPOSER, CTRL_L).await;
    window.find("[data-testid=lock-screen]").await;
    let said = window.says().await;
    assert!(!said.contains("Martha") && !said.contains("swollen") && !said.contains("Since when"), "{said}");
    assert_eq!(window.inaccessible().await, [""; 0]);
    martha.say(&conversation, "And my feet").await;
    window.write("[data-testid=unlock-passphrase]", "four red apples").await;
    window.click("[data-testid=unlock-submit]").await;
    window.shows("[data-testid=lock-screen]", "This is not the passphrase").await;
    // The field is selected: what is typed replaces it.
    let select = "document.querySelector(arguments[0]).select(); return 0";
    window.ask::<u32>(select, "[data-testid=unlock-passphrase]").await;
    window.write("[data-testid=unlock-passphrase]", "four green apples").await;
    window.click("[data-testid=unlock-submit]").await;
    window.shows(SENT, "And my feet").await;
    let typed = "return document.querySelector(arguments[0]).value";
    let draft = async || window.ask::<String>(typed, COMPOSER).await == "Since when";
    window.until("what was typed is back", draft).await;

    window.write(COMPOSER, CTRL_L).await;
    window.find("[data-testid=lock-screen]").await;
    window.kill();
    let window = desk.window(&[]).await;
    window.find("[data-testid=lock-screen]").await;
    window.write("[data-testid=unlock-passphrase]", "four green apples").await;
    window.click("[data-testid=unlock-submit]").await;
    window.shows(ROW, MARTHA).await;
    window.close().await;
}

/// Drops a file onto the conversation, as a person would.
const DROP: &str = "const [name, type, bytes] = arguments[0];
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, { type }));
    const over = (on, event) => on.dispatchEvent(new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true }));
    over(window, 'dragenter');
    const done = arguments[arguments.length - 1];
    const target = () => {
        const found = document.querySelector('[data-testid=drop]');
        if (!found) return requestAnimationFrame(target);
        over(found, 'dragover');
        done(over(found, 'drop') ? 'refused' : 'taken');
    };
    target()";
/// The pictures of a kind that are there with their pixels: their widths.
const WIDTHS: &str = "return [...document.querySelectorAll(arguments[0] + ' img')]
    .map((image) => image.naturalWidth).filter((width) => width > 0)";
const CHIP: &str = "[data-testid=chip]";
const SENT_FILE: &str = "[data-testid=item][data-kind=file][data-state=sent]";

/// From the window to the patient and back, with its pixels, through a restart without a network, and to the person's folder.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_dropped_shown_sent_and_saved() {
    const ICON: &[u8] = include_bytes!("../../src-tauri/icons/32x32.png");
    let mut server = Server::start().await;
    let desk = Desk::set();
    let who = SignIn::patient(&server.url(), MARTHA);
    let mut martha = Wire::sign_in(&who).await;
    let conversation = martha.conversation.clone().unwrap();
    martha.say(&conversation, "What does it look like?").await;
    let window = desk.demo(&server).await;
    open(&window).await;
    window.find(COMPOSER).await;

    let file = serde_json::json!(["Löwe 1.png", "image/png", ICON]);
    assert_eq!(window.ask_later::<String>(DROP, file).await, "taken");
    window.shows(CHIP, "Löwe 1.png").await;
    let pictures = async |window: &Page, css: &str| window.ask::<Vec<u32>>(WIDTHS, css).await;
    window.until("the chip shows its picture", async || pictures(&window, CHIP).await == [32]).await;
    let fake = serde_json::json!(["no picture.png", "image/png", b"<script>alert(1)</script>"]);
    assert_eq!(window.ask_later::<String>(DROP, fake).await, "taken");
    window.count(CHIP, 2).await;
    assert_eq!(window.inaccessible().await, [""; 0]);

    // Kept with the draft, also when the program dies.
    window.kill();
    let window = desk.window(&[]).await;
    window.find("[data-testid=status][data-link=live]").await;
    open(&window).await;
    window.count(CHIP, 2).await;
    say(&window, "Like this").await;
    window.count(CHIP, 0).await;
    window.count(SENT_FILE, 2).await;
    window.shows(SENT, "Like this").await;
    window.until("the message shows it", async || pictures(&window, SENT_FILE).await == [32]).await;
    window.shows("[data-picture=failed]", "It can\u{2019}t be shown").await;
    assert_eq!(window.inaccessible().await, [""; 0]);

    let token = who.ask().await.unwrap().token;
    let files = Log::of_server(&server);
    let sent = files.messages().filter_map(|entry| entry.body.file()).cloned().collect::<Vec<_>>();
    assert_eq!(
        sent.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(),
        ["Löwe 1.png", "no picture.png"]
    );
    let url = format!("{}/api/blobs/{}", server.url(), sent[0].sha256);
    let got = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(got.bytes().await.unwrap(), ICON);
    window.close().await;

    server.kill();
    let window = desk.window(&[]).await;
    open(&window).await;
    window.until("it is here without a network", async || pictures(&window, SENT_FILE).await == [32]).await;
    window.click(&format!("{SENT_FILE} [aria-label^=Save]")).await;
    window.shows("footer [role=alert]", "Saved to Downloads as \u{2068}Löwe 1.png").await;
    assert_eq!(std::fs::read(desk.desktop.downloads().join("Löwe 1.png")).unwrap(), ICON);
    window.close().await;
}

/// The real window, in its states, as axe-core sees it.
#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_accessible() {
    let server = Server::start().await;
    let desk = Desk::set();
    let nobody: [String; 0] = [];
    let window = desk.window(&[]).await;
    window.find("[data-testid=signin-server]").await;
    assert_eq!(window.inaccessible().await, nobody);
    window.close().await;

    let mut martha = Wire::sign_in(&SignIn::patient(&server.url(), MARTHA)).await;
    let conversation = martha.conversation.clone().unwrap();
    martha.say(&conversation, "Is https://clinic.example/leaflet still right?").await;
    let window = desk.demo(&server).await;
    window.find(ROW).await;
    assert_eq!(window.inaccessible().await, nobody);
    open(&window).await;
    say(&window, "It is").await;
    window.shows(SENT, "It is").await;
    assert_eq!(window.inaccessible().await, nobody);
    window.write(SEARCH, "leaflet").await;
    window.find(RESULT).await;
    assert_eq!(window.inaccessible().await, nobody);
    window.close().await;
}
