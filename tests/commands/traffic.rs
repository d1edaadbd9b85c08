//! `attrsync traffic` where nothing can come of it. With a cluster of its own it is in `tests/it`.

use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};

use crate::{Desk, Ran};

#[test]
fn a_topic_that_is_not_there_is_told_before_the_first_event() {
    let cluster: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).unwrap();
    let brokers = cluster.bootstrap_servers();
    let desk = Desk::new();
    let send = |topic: &str| -> Ran {
        let topic = format!("kafka.input.topics={topic}");
        let arguments = ["traffic", "--events", "3", "--rate", "100", "--brokers", &brokers, "--set", &topic];
        desk.bare(&arguments).output().unwrap().into()
    };
    let ran = send("none");
    let told = format!("topic \"none\" does not exist on {brokers}; create it (`attrsync topics create`)");
    assert!(ran.code == Some(1) && ran.err.contains(&told), "{:?} {}", ran.code, ran.err);
    assert_eq!(ran.out, "", "nothing was sent");
    cluster.create_topic("events", 1, 1).unwrap();
    let ran = send("events");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "3 events arrived in events\n"), "{}", ran.err);
}

#[test]
fn settings_that_it_would_not_look_at_are_refused() {
    let ran: Ran = Desk::new().bare(&["traffic", "--settings", "none.toml"]).output().unwrap().into();
    let told = "--settings is of no use: made-up events are signed by the sample settings";
    assert!(ran.code == Some(2) && ran.err.contains(told), "{:?} {}", ran.code, ran.err);
}
