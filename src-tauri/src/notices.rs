//! Notifications of Linux desktops: that messages came, and how many. Never of whom, nor what they say.
//!
//! There is one at a time. It is replaced when more comes, and withdrawn once somebody has seen what it tells of.

use bedside_client::Shown;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use zbus::proxy::SignalStream;
use zbus::zvariant::Value;
use zbus::{Connection, Proxy};

/// After one was shown, what comes is gathered for this long.
const GATHER: Duration = Duration::from_secs(1);
/// The name of the action that a click is.
const CLICK: &str = "default";
/// As urgent as a message is: neither low nor critical.
const NORMAL: u8 = 1;

/// What a notification follows.
pub(crate) struct Following {
    /// How many messages came that nobody has seen.
    pub(crate) news: watch::Receiver<u32>,
    /// Whether notifications are wanted.
    pub(crate) shown: watch::Receiver<Shown>,
}

impl Following {
    fn wanted(&mut self) -> u32 {
        let (news, shown) = (*self.news.borrow_and_update(), *self.shown.borrow_and_update());
        if shown.notifications { news } else { 0 }
    }

    /// Whether there may be something else to tell; none: never again.
    async fn changed(&mut self) -> Option<()> {
        tokio::select! {
            changed = self.news.changed() => changed.ok(),
            changed = self.shown.changed() => changed.ok(),
        }
    }
}

/// What the desktop is asked to say.
fn words(messages: u32) -> String {
    match messages {
        1 => "1 new message".to_owned(),
        n => format!("{n} new messages"),
    }
}

/// Shows what there is to tell as long as the core lives. `bus` is the session's, unless another is named. `raise` brings
/// the window up, with the desktop's leave for it.
pub(crate) async fn run(mut following: Following, bus: Option<String>, raise: impl Fn(Option<String>)) {
    let mut desk: Option<Desk> = None;
    let (mut told, mut gathered) = (0, Instant::now());
    loop {
        let wanted = following.wanted();
        if wanted != told && (wanted == 0 || gathered <= Instant::now()) {
            (told, gathered) = (wanted, Instant::now() + GATHER);
            if let Err(error) = tell(&mut desk, bus.as_deref(), wanted).await {
                tracing::warn!(%error, "no notification");
                desk = None;
            }
        }
        tokio::select! {
            changed = following.changed() => if changed.is_none() { return },
            clicked = clicked(&mut desk) => match clicked {
                Some(token) => raise(token),
                None => desk = None,
            },
            () = tokio::time::sleep_until(gathered), if wanted != told => {}
        }
    }
}

async fn tell(desk: &mut Option<Desk>, bus: Option<&str>, messages: u32) -> zbus::Result<()> {
    match desk {
        Some(desk) => desk.tell(messages).await,
        None if messages == 0 => Ok(()),
        None => desk.insert(Desk::find(bus).await?).tell(messages).await,
    }
}

/// Waits for a click; none: the desktop is gone.
async fn clicked(desk: &mut Option<Desk>) -> Option<Option<String>> {
    match desk {
        Some(desk) => desk.clicked().await,
        None => std::future::pending().await,
    }
}

/// The desktop's notifications.
struct Desk {
    proxy: Proxy<'static>,
    signals: SignalStream<'static>,
    /// The one that is shown; 0: none.
    id: u32,
    /// The desktop's leave to raise the window; it comes right before a click.
    token: Option<String>,
}

impl Desk {
    async fn find(bus: Option<&str>) -> zbus::Result<Self> {
        let bus = match bus {
            Some(address) => zbus::connection::Builder::address(address)?.build().await?,
            None => Connection::session().await?,
        };
        let (service, path) = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications");
        let proxy = Proxy::new(&bus, service, path, service).await?;
        let signals = proxy.receive_all_signals().await?;
        Ok(Self { proxy, signals, id: 0, token: None })
    }

    async fn tell(&mut self, messages: u32) -> zbus::Result<()> {
        if messages == 0 {
            let id = std::mem::take(&mut self.id);
            return if id == 0 { Ok(()) } else { self.proxy.call("CloseNotification", &id).await };
        }
        let hints =
            HashMap::from([("urgency", Value::from(NORMAL)), ("category", Value::from("im.received"))]);
        let actions = [CLICK, "Open Bedside"].as_slice();
        let forever_or_as_the_desktop_likes = -1_i32;
        let text = words(messages);
        let notice = (
            "Bedside",
            self.id,
            "bedside",
            "Bedside",
            text.as_str(),
            actions,
            hints,
            forever_or_as_the_desktop_likes,
        );
        self.id = self.proxy.call("Notify", &notice).await?;
        Ok(())
    }

    async fn clicked(&mut self) -> Option<Option<String>> {
        loop {
            let signal = self.signals.next().await?;
            match signal.header().member().map(|name| name.as_str()) {
                Some("ActivationToken") => {
                    self.token = self.about_ours::<String>(&signal);
                }
                Some("ActionInvoked") if self.about_ours::<String>(&signal).as_deref() == Some(CLICK) => {
                    return Some(self.token.take());
                }
                // Somebody closed it: what comes next is a new one.
                Some("NotificationClosed") if self.about_ours::<u32>(&signal).is_some() => self.id = 0,
                _ => {}
            }
        }
    }

    /// What a signal says of the notification that is shown.
    fn about_ours<T>(&self, signal: &zbus::Message) -> Option<T>
    where
        (u32, T): for<'a> serde::Deserialize<'a> + zbus::zvariant::Type,
    {
        let (id, said): (u32, T) = signal.body().deserialize().ok()?;
        (id == self.id && id != 0).then_some(said)
    }
}

#[cfg(test)]
#[path = "../../tests/src/bus.rs"]
mod bus;

#[cfg(test)]
mod tests {
    use super::bus::PrivateBus;
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::sync::mpsc;
    use tokio::time::timeout;
    use zbus::object_server::SignalEmitter;

    const SOON: Duration = Duration::from_secs(20);
    const WANTED: Shown = Shown { notifications: true, content_protection: true };

    /// What a desktop was asked for.
    #[derive(Debug, PartialEq)]
    enum Asked {
        Show { replaces: u32, texts: [String; 2], actions: Vec<String>, urgency: u8, id: u32 },
        Close(u32),
    }

    fn show(replaces: u32, text: &str, id: u32) -> Asked {
        let texts = ["Bedside".to_owned(), text.to_owned()];
        Asked::Show {
            replaces,
            texts,
            actions: vec!["default".into(), "Open Bedside".into()],
            urgency: 1,
            id,
        }
    }

    struct Desktop {
        asked: mpsc::UnboundedSender<Asked>,
        last: u32,
    }

    #[zbus::interface(name = "org.freedesktop.Notifications")]
    impl Desktop {
        #[allow(clippy::too_many_arguments, reason = "as the specification has them")]
        fn notify(
            &mut self,
            _app_name: &str,
            replaces: u32,
            _icon: &str,
            summary: &str,
            body: &str,
            actions: Vec<String>,
            hints: HashMap<String, zbus::zvariant::OwnedValue>,
            _expires: i32,
        ) -> u32 {
            if replaces == 0 {
                self.last += 1;
            }
            let urgency = hints.get("urgency").and_then(|value| u8::try_from(value).ok()).unwrap_or(99);
            let texts = [summary.to_owned(), body.to_owned()];
            let id = if replaces == 0 { self.last } else { replaces };
            let _gone = self.asked.send(Asked::Show { replaces, texts, actions, urgency, id });
            id
        }

        fn close_notification(&self, id: u32) {
            let _gone = self.asked.send(Asked::Close(id));
        }
    }

    struct Scene {
        bus: PrivateBus,
        asked: mpsc::UnboundedReceiver<Asked>,
        desktop: Connection,
        news: watch::Sender<u32>,
        shown: watch::Sender<Shown>,
        raised: mpsc::UnboundedReceiver<Option<String>>,
    }

    impl Scene {
        async fn set() -> Self {
            let bus = PrivateBus::start();
            let (desktop, asked) = desktop(&bus).await;
            let (news, shown) = (watch::Sender::new(0), watch::Sender::new(WANTED));
            let following = Following { news: news.subscribe(), shown: shown.subscribe() };
            let (raises, raised) = mpsc::unbounded_channel();
            let raise = move |token| drop(raises.send(token));
            tokio::spawn(run(following, Some(bus.address().to_owned()), raise));
            Self { bus, asked, desktop, news, shown, raised }
        }

        async fn asked(&mut self) -> Asked {
            timeout(SOON, self.asked.recv()).await.expect("it is asked").expect("a desktop")
        }

        async fn says(&self, signal: &str, body: &(impl serde::Serialize + zbus::zvariant::DynamicType)) {
            let path = "/org/freedesktop/Notifications";
            let emitter = SignalEmitter::new(&self.desktop, path).unwrap();
            emitter.emit("org.freedesktop.Notifications", signal, body).await.unwrap();
        }
    }

    async fn desktop(bus: &PrivateBus) -> (Connection, mpsc::UnboundedReceiver<Asked>) {
        let (asks, asked) = mpsc::unbounded_channel();
        let connection = zbus::connection::Builder::address(bus.address())
            .unwrap()
            .serve_at("/org/freedesktop/Notifications", Desktop { asked: asks, last: 40 })
            .unwrap()
            .name("org.freedesktop.Notifications")
            .unwrap();
        (connection.build().await.unwrap(), asked)
    }

    #[tokio::test]
    async fn one_notification_says_how_many_and_goes_when_they_are_seen() {
        let mut scene = Scene::set().await;
        scene.news.send_replace(1);
        assert_eq!(scene.asked().await, show(0, "1 new message", 41));
        // What comes together is said together.
        for n in 2..=7 {
            scene.news.send_replace(n);
        }
        assert_eq!(scene.asked().await, show(41, "7 new messages", 41));
        scene.news.send_replace(0);
        assert_eq!(scene.asked().await, Asked::Close(41));
        scene.news.send_replace(2);
        assert_eq!(scene.asked().await, show(0, "2 new messages", 42));
    }

    #[tokio::test]
    async fn who_wants_none_gets_none_and_what_is_shown_goes() {
        let mut scene = Scene::set().await;
        scene.shown.send_replace(Shown { notifications: false, ..WANTED });
        scene.news.send_replace(3);
        scene.shown.send_replace(WANTED);
        assert_eq!(scene.asked().await, show(0, "3 new messages", 41));
        scene.shown.send_replace(Shown { notifications: false, ..WANTED });
        assert_eq!(scene.asked().await, Asked::Close(41));
    }

    #[tokio::test]
    async fn a_click_raises_the_window_with_the_desktops_leave() {
        let mut scene = Scene::set().await;
        scene.news.send_replace(1);
        assert_eq!(scene.asked().await, show(0, "1 new message", 41));
        // Another program's notification.
        scene.says("ActivationToken", &(7_u32, "not ours")).await;
        scene.says("ActionInvoked", &(7_u32, "default")).await;
        scene.says("ActivationToken", &(41_u32, "leave")).await;
        scene.says("ActionInvoked", &(41_u32, "default")).await;
        let raised = timeout(SOON, scene.raised.recv()).await.expect("it is raised");
        assert_eq!(raised, Some(Some("leave".to_owned())));
    }

    #[tokio::test]
    async fn one_that_somebody_closed_is_not_replaced() {
        let mut scene = Scene::set().await;
        scene.news.send_replace(1);
        assert_eq!(scene.asked().await, show(0, "1 new message", 41));
        let dismissed = 2_u32;
        scene.says("NotificationClosed", &(41_u32, dismissed)).await;
        // It hears of it between two notifications, some time.
        for n in 2.. {
            scene.news.send_replace(n);
            if scene.asked().await == show(0, &format!("{n} new messages"), 42) {
                break;
            }
        }
        scene.says("ActionInvoked", &(41_u32, "default")).await;
        scene.says("ActionInvoked", &(42_u32, "default")).await;
        assert_eq!(timeout(SOON, scene.raised.recv()).await.expect("it is raised"), Some(None));
        assert!(scene.raised.try_recv().is_err(), "a click on what is gone");
    }

    #[tokio::test]
    async fn a_desktop_that_comes_later_or_anew_is_found() {
        let scene = Scene::set().await;
        scene.desktop.clone().close().await.unwrap();
        scene.news.send_replace(1);
        let following = Following { news: scene.news.subscribe(), shown: scene.shown.subscribe() };
        let raises = Arc::new(Mutex::new(0));
        let nowhere = Some("unix:path=/nowhere/at/all".to_owned());
        let alone = tokio::spawn(run(following, nowhere, move |_| *raises.lock().unwrap() += 1));
        let (_desktop, mut asked) = desktop(&scene.bus).await;
        scene.news.send_replace(2);
        let first = timeout(SOON, asked.recv()).await.expect("it is asked");
        assert!(matches!(first, Some(Asked::Show { texts: [_, text], .. }) if text.contains("new message")));
        // Without a bus it waits for the next, and ends with the core.
        let Scene { news, shown, .. } = scene;
        drop((news, shown));
        timeout(SOON, alone).await.expect("it ends").unwrap();
    }
}
