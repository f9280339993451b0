//! What a driven window says of itself: frames, clicks, memory.

use crate::caches::Full;
use crate::programs::bedside;
use bedside_tests::desktop::Desktop;
use bedside_tests::page::Page;
use bedside_tests::processes;
use bedside_tests::results::Figure;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

const ROW: &str = "[data-testid=inbox-row]";
const INBOX: &str = "[data-testid=inbox]";
const LOG: &str = "[data-testid=conversation]";
const ITEM: &str = "[data-testid=item]";
/// For how long it is scrolled, in milliseconds.
const SCROLL_MS: u32 = 10_000;
/// Conversations that are opened.
const CLICKS: usize = 100;
/// So many in one script, which may take half a minute.
const CLICKS_AT_ONCE: usize = 20;
/// Over the time of a frame, by more than the coarse clock of a page could be wrong.
const LATE_MS: f64 = 1000.0 / 60.0 + 1.5;
/// Nobody scrolls for longer.
const TO_TOP_LIMIT: Duration = Duration::from_secs(180);
/// A page that did a lot cleans up behind it.
const SETTLE: Duration = Duration::from_secs(10);

/// Scrolls what a selector finds by so many pixels in each frame, and answers how long the frames were.
const SCROLL: &str = r#"
    const [[css, pixels, ms], answer] = arguments;
    const view = document.querySelector(css);
    const frames = [];
    let first, before;
    const frame = (now) => {
        first ??= now;
        if (before !== undefined) frames.push(now - before);
        before = now;
        if (now - first > ms) return answer(frames);
        view.scrollBy(0, pixels);
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
"#;

/// Opens conversations of the inbox, one after the other, and answers how long each took from the click to the end of the
/// frame that shows it.
const OPEN: &str = r#"
    const [[inbox, row, log, first, count], answer] = arguments;
    const list = document.querySelector(inbox);
    const frame = () => new Promise(requestAnimationFrame);
    const open = async (n) => {
        list.scrollTop = n * 300;
        for (let i = 0; i < 6; i++) await frame();
        const { top } = list.getBoundingClientRect();
        const below = (each) => each.getBoundingClientRect().top >= top && each.ariaSelected !== "true";
        let next;
        while (!(next = [...document.querySelectorAll(row)].find(below))) await frame();
        const name = next.querySelector(".name").textContent;
        const before = document.querySelector(log);
        const clicked = performance.now();
        next.click();
        for (;;) {
            await frame();
            const view = document.querySelector(log);
            if (view && view !== before && !view.classList.contains("unplaced") &&
                document.querySelector("main").textContent.includes(name)) break;
        }
        await frame();
        return performance.now() - clicked;
    };
    (async () => {
        const times = [];
        for (let n = first; n < first + count; n++) times.push(await open(n));
        answer(times);
    })();
"#;

/// The same of a page in which a click only writes a word.
const WRITE: &str = r#"
    const [count, answer] = arguments;
    const frame = () => new Promise(requestAnimationFrame);
    (async () => {
        const times = [];
        for (let n = 0; n < count; n++) {
            await frame();
            const clicked = performance.now();
            document.body.textContent = `click ${n}`;
            await frame();
            await frame();
            times.push(performance.now() - clicked);
        }
        answer(times);
    })();
"#;

/// Goes to the top of what is loaded, and answers the place of the oldest message in the page.
const TO_TOP: &str = r#"
    const [log, item] = arguments[0];
    const view = document.querySelector(log);
    view.scrollTop = 0;
    return Math.min(...[...document.querySelectorAll(item)].map((each) => Number(each.dataset.seq)));
"#;

/// What one window takes. Times are in milliseconds, sorted.
pub struct Inside {
    memory: f64,
    clicks: Vec<f64>,
    /// Each with what was scrolled.
    frames: Vec<(&'static str, Vec<f64>)>,
}

impl Inside {
    /// The empty window: what nobody can do without.
    pub async fn of_empty_window(desktop: &Desktop, program: &Path) -> Self {
        let page = Page::window_of(program, desktop, &[]).await;
        let clicks = sorted(page.ask_later(WRITE, CLICKS).await);
        let frames = vec![("an empty page", frames(&page, "body", 0).await)];
        let memory = settled(program).await;
        page.close().await;
        Self { memory, clicks, frames }
    }

    /// Ours, with this cache.
    pub async fn of_console(desktop: &Desktop, cache: &Full) -> Self {
        let program = bedside();
        let page = Page::window_of(&program, desktop, &["--data", cache.data()]).await;
        page.find(ROW).await;
        println!("memory with the inbox: {:.0} MiB", settled(&program).await);
        let mut clicks: Vec<f64> = Vec::new();
        for first in (0..CLICKS).step_by(CLICKS_AT_ONCE) {
            let some = json!([INBOX, ROW, LOG, first, CLICKS_AT_ONCE]);
            clicks.extend(page.ask_later::<Vec<f64>>(OPEN, some).await);
        }
        let clicks = sorted(clicks);
        page.ask::<()>("document.querySelector(arguments[0]).scrollTop = 0", INBOX).await;
        page.click(&format!("{ROW}[data-conversation=c-0]")).await;
        page.shows("main", "Patient 0").await;
        page.find(ITEM).await;
        let mut all = vec![("up from the newest message", frames(&page, LOG, -100).await)];
        to_top(&page).await;
        let memory = settled(&program).await;
        all.push(("down from the oldest message", frames(&page, LOG, 100).await));
        page.close().await;
        Self { memory, clicks, frames: all }
    }

    /// Ours beside the empty window's.
    pub fn beside(&self, floor: &Self, size: u64) -> Vec<Figure> {
        let peer = "an empty Tauri window";
        let figure = |name: &str, ours, unit, theirs| {
            Figure::new(&format!("{name}, {size} messages cached"), ours, unit, peer, theirs)
        };
        let mut figures = vec![figure(
            "memory of all processes after scrolling the longest conversation to its top",
            self.memory,
            "MiB",
            floor.memory,
        )];
        for percent in [50, 99] {
            let (ours, theirs) = (at(&self.clicks, percent), at(&floor.clicks, percent));
            let name = format!("click to painted conversation, p{percent} of {CLICKS}");
            figures.push(figure(&name, ours, "ms", theirs));
        }
        let theirs = &floor.frames[0].1;
        for (what, ours) in &self.frames {
            for percent in [50, 99] {
                let name = format!("frame while scrolling {what}, p{percent}");
                figures.push(figure(&name, at(ours, percent), "ms", at(theirs, percent)));
            }
            let name = format!("frames over 1/60 s while scrolling {what}");
            figures.push(figure(&name, late(ours), "%", late(theirs)));
        }
        figures
    }
}

async fn frames(page: &Page, css: &str, pixels: i32) -> Vec<f64> {
    sorted(page.ask_later(SCROLL, json!([css, pixels, SCROLL_MS])).await)
}

/// Scrolls up until nothing older comes, or it takes too long; it says how far that was.
async fn to_top(page: &Page) {
    let start = Instant::now();
    let mut oldest = u64::MAX;
    while 1 < oldest && start.elapsed() < TO_TOP_LIMIT {
        oldest = page.ask::<Option<u64>>(TO_TOP, json!([LOG, ITEM])).await.unwrap_or(oldest);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("scrolled up to message {oldest} in {:.0} s", start.elapsed().as_secs_f64());
}

async fn settled(program: &Path) -> f64 {
    tokio::time::sleep(SETTLE).await;
    let root = processes::of(program).expect("the window runs");
    processes::memory(&processes::tree(root))
}

fn sorted(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times
}

fn at(times: &[f64], percent: usize) -> f64 {
    times[(times.len() - 1) * percent / 100]
}

fn late(frames: &[f64]) -> f64 {
    100.0 * frames.iter().filter(|&&ms| LATE_MS < ms).count() as f64 / frames.len() as f64
}
