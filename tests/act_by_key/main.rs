//! The console's keys on a real lab: a monkey that may change nothing and does not, one that may and has not confirmed anything, and each
//! action by its keys with its outcome read by other tools.
//!
//! Before every server stands a recording proxy that the one under test cannot go round: what its user sends to the lab's addresses is
//! redirected to it by the kernel. That needs root and nftables; without them the recording part is left out, and says so.
#![allow(clippy::unwrap_used)]

#[path = "../common"]
mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}

mod keys;
mod menu;
mod monkey;
mod postgres_wire;
mod recorder;

use common::lab::TestLab;

/// One lab for all.
#[test]
fn keys_on_a_real_cluster() {
    let lab = TestLab::up("act-by-key", &["--ttl", "20", "--loop-wait", "2"]);
    let has_nft = std::process::Command::new("nft").arg("--version").output().is_ok_and(|out| out.status.success());
    if rustix::process::geteuid().is_root() && has_nft {
        monkey::a_read_only_console_only_reads(&lab);
        monkey::nothing_happens_without_a_typed_confirmation(&lab);
    } else {
        println!("the monkeys are left out: only root, with nftables, can put a proxy before every server");
    }
    keys::a_keymap_is_chosen_and_its_mistakes_are_seen(&lab);
    keys::a_switchover_in_few_keys(&lab);
    keys::each_action_by_its_keys(&lab);
    menu::what_asks_for_more_before_its_plan(&lab);
}
