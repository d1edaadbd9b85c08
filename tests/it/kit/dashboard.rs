//! `attrsync dashboard` as a process of its own, and its answers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use serde_json::Value;

use super::{SOON, process::ended, topics::Topics};
use crate::binary::program;

/// A running dashboard; killed when it is dropped.
pub(crate) struct Dashboard {
    child: Child,
    address: SocketAddr,
}

impl Dashboard {
    /// Starts one on a port of its own, and waits until it listens.
    pub(crate) fn start(topics: &Topics) -> Self {
        Self::with(topics, &[])
    }

    /// The same, with more of the configuration.
    pub(crate) fn with(topics: &Topics, further: &[&str]) -> Self {
        let set = [
            format!("kafka.bootstrap_servers={}", topics.brokers),
            format!("kafka.group_id={}", topics.group),
            format!("kafka.input.topics=[\"{}\"]", topics.input),
            format!("kafka.accepted_topic={}", topics.accepted),
            format!("kafka.rejected_topic={}", topics.rejected),
        ];
        let mut command = program();
        command.args(["dashboard", "--address", "127.0.0.1:0"]).args(set.iter().flat_map(|key| ["--set", key]));
        command.args(further.iter().flat_map(|key| ["--set", key]));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut dashboard = Self { child, address: ([127, 0, 0, 1], 0).into() };
        let url = dashboard.first_line();
        let address: Result<SocketAddr, _> = url.trim().trim_start_matches("http://").trim_end_matches('/').parse();
        dashboard.address = address.unwrap_or_else(|error| panic!("{url:?}: {error}"));
        dashboard
    }

    /// What it prints first: where it listens.
    fn first_line(&mut self) -> String {
        let mut out = BufReader::new(self.child.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            if out.read_line(&mut line).is_ok() {
                // Whoever waited has given up where it comes too late.
                let _ = sender.send(line);
            }
        });
        receiver.recv_timeout(SOON).expect("it says where it listens")
    }

    /// Asks, and leaves the answer to be read.
    pub(crate) fn ask(&self, path: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        // HTTP/1.0: the server neither keeps the connection nor splits the answer into chunks.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        BufReader::new(stream)
    }

    /// The JSON of an answer.
    pub(crate) fn get(&self, path: &str) -> Value {
        let mut answer = String::new();
        self.ask(path).read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) {
        let sent = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success() && ended(&mut self.child, SOON).success());
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
