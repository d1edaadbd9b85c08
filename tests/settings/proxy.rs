//! A connection that can be cut: what stands between a worker and its database. It forwards bytes, or refuses and resets, and
//! can put another database's name into the greeting, as if the server behind the address had been replaced.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

#[derive(Default)]
struct State {
    cut: bool,
    server: String,
    open: Vec<TcpStream>,
    rename: Option<(String, String)>,
}

/// A proxy before one server.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// A proxy before the server of this URL.
    pub(crate) fn to(url: &str) -> Self {
        let server = url.rsplit_once('@').unwrap().1.split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { server, ..State::default() }));
        let shared = Arc::clone(&state);
        // It ends with the process: nothing tells it of the end.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                connect(client, &shared);
            }
        });
        Self { port, state }
    }

    /// The URL through the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        let (login, rest) = url.rsplit_once('@').unwrap();
        // It reads what is said, and changes some of it.
        format!("{login}@127.0.0.1:{}/{}?sslmode=disable", self.port, rest.split_once('/').unwrap().1)
    }

    /// Cuts every connection, and lets none be made.
    pub(crate) fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.cut = true;
        for stream in state.open.drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections be made again.
    pub(crate) fn mend(&self) {
        self.state.lock().unwrap().cut = false;
    }

    /// Forwards to another port from now on, as after a failover.
    pub(crate) fn move_to(&self, port: u16) {
        self.cut();
        let mut state = self.state.lock().unwrap();
        state.server = format!("127.0.0.1:{port}");
        state.cut = false;
    }

    /// Cuts every connection; those who come again find another database under the name. Names have one length.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        self.cut();
        let mut state = self.state.lock().unwrap();
        state.rename = Some((from.to_owned(), to.to_owned()));
        state.cut = false;
    }
}

fn connect(mut client: TcpStream, state: &Arc<Mutex<State>>) {
    let mut guard = state.lock().unwrap();
    if guard.cut {
        return;
    }
    let Ok(mut upstream) = TcpStream::connect(&guard.server) else { return };
    guard.open.extend([client.try_clone().unwrap(), upstream.try_clone().unwrap()]);
    let rename = guard.rename.clone();
    drop(guard);
    let (mut back, mut answers) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut greeted = rename.is_none();
        let mut bytes = vec![0; 65_536];
        while let Ok(length @ 1..) = client.read(&mut bytes) {
            let mut sent = bytes[..length].to_vec();
            if let (false, Some((from, to))) = (greeted, &rename) {
                (sent, greeted) = renamed(&sent, from, to);
            }
            if upstream.write_all(&sent).is_err() {
                break;
            }
        }
        let _ = upstream.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
}

/// The greeting with another database's name, its length corrected; whether the name was in it.
fn renamed(sent: &[u8], from: &str, to: &str) -> (Vec<u8>, bool) {
    let Some(at) = sent.windows(from.len()).position(|window| window == from.as_bytes()) else {
        return (sent.to_vec(), false);
    };
    let mut renamed = [&sent[..at], to.as_bytes(), &sent[at + from.len()..]].concat();
    let length = u32::try_from(renamed.len()).unwrap().to_be_bytes();
    renamed[..4].copy_from_slice(&length);
    (renamed, true)
}
