//! The leanest Socket.IO client there is, so that the clients weigh little beside the server that is measured.

use bedside_protocol::{Connect, PROTOCOL_VERSION};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The sending half.
pub struct Out {
    sink: SplitSink<Stream, Message>,
    namespace: &'static str,
}

/// The receiving half.
pub struct In {
    stream: SplitStream<Stream>,
    prefix: String,
}

/// Connects and waits for the welcome.
pub async fn connect(server: &str, namespace: &'static str, token: &str) -> (Out, In) {
    let url = format!("{}/socket.io/?EIO=4&transport=websocket", server.replacen("http", "ws", 1));
    let (stream, _) = connect_async(url).await.expect("a websocket");
    let (sink, stream) = stream.split();
    let (mut out, mut ear) = (Out { sink, namespace }, In { stream, prefix: format!("42{namespace},[\"") });
    let connect = Connect {
        token: token.to_owned(),
        device: "bench".to_owned(),
        protocol: PROTOCOL_VERSION,
        client: "bench/1".to_owned(),
    };
    out.text(format!("40{namespace},{}", serde_json::to_string(&connect).expect("JSON"))).await;
    while !ear.event(&mut out).await.starts_with("welcome\"") {}
    (out, ear)
}

impl Out {
    /// Sends an event with its argument, both JSON already.
    pub async fn event(&mut self, event: &str, argument: &str) {
        let namespace = self.namespace;
        self.text(format!("42{namespace},[\"{event}\",{argument}]")).await;
    }

    async fn text(&mut self, text: String) {
        self.sink.send(Message::text(text)).await.expect("the connection is up");
    }
}

impl In {
    /// The next event from its name on: `entry",{…}]`. Pings are answered.
    pub async fn event(&mut self, out: &mut Out) -> String {
        loop {
            let message =
                self.stream.next().await.expect("the connection is up").expect("the connection is up");
            let Ok(text) = message.to_text() else { continue };
            if text == "2" {
                out.text("3".to_owned()).await;
            } else if let Some(event) = text.strip_prefix(&self.prefix) {
                return event.to_owned();
            }
        }
    }
}
