//! One network namespace per node, joined by a bridge that this machine's own network can reach: `--netns`.
//!
//! All names begin with [`net_prefix`], which follows from the lab's folder: what a killed `up` left is found without a record.

use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::account::is_root;
use super::layout::{Lab, net_prefix};

/// The bridge's own address ends in this.
const GATEWAY: u8 = 254;

/// Checks that namespaces can be made here.
///
/// # Errors
/// A sentence that says why not, and what goes without.
pub fn check() -> Result<()> {
    let without = "hint: without --netns the lab uses loopback addresses, and only the faults of the network are missing";
    if !is_root() {
        bail!("--netns needs root: only root may make network namespaces and give them addresses\n{without}");
    }
    let out = Command::new("unshare").args(["--net", "true"]).output().context("cannot run unshare")?;
    if !out.status.success() {
        bail!("this system does not permit network namespaces ({})\n{without}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

/// The blocks 10.77.1.0 to 10.77.254.0, beginning at one that follows from `seed`.
pub fn blocks(seed: u32) -> impl Iterator<Item = Ipv4Addr> {
    super::address::loopback_blocks(seed).map(|b| Ipv4Addr::new(10, 77, b.octets()[2], 0))
}

/// Whether this machine has neither an address in a block nor a way to it.
#[must_use]
pub fn is_free(block: Ipv4Addr) -> bool {
    let [a, b, c, _] = block.octets();
    let start = format!("{a}.{b}.{c}.");
    let out = Command::new("ip").args(["-4", "-o", "route", "show", "table", "all"]).output();
    out.is_ok_and(|o| o.status.success() && !String::from_utf8_lossy(&o.stdout).contains(&start))
}

/// The bridge's own address, from which this machine speaks to the nodes.
#[must_use]
pub fn gateway(lab: &Lab) -> Ipv4Addr {
    let [a, b, c, _] = lab.record.block.octets();
    Ipv4Addr::new(a, b, c, GATEWAY)
}

/// The bridge's name.
fn bridge(lab: &Lab) -> String {
    net_prefix(&lab.dir)
}

/// The outer end of a node's cable, at most 15 characters as the kernel demands.
fn port(lab: &Lab, node: &str) -> String {
    let short: String = node.chars().filter(|c| *c == 'v' || *c == 'p' || c.is_ascii_digit()).collect();
    format!("{}{short}", net_prefix(&lab.dir))
}

/// Makes the bridge, the namespaces and the cables between them.
///
/// # Errors
/// What `ip` said.
pub fn make(lab: &Lab) -> Result<()> {
    let bridge = bridge(lab);
    let mut outside = format!("link add {bridge} type bridge\naddr add {}/24 dev {bridge}\nlink set {bridge} up\n", gateway(lab));
    for node in lab.nodes() {
        let (port, ns) = (port(lab, &node), namespace(lab, &node)?);
        outside.push_str(&format!(
            "netns add {ns}\nlink add {port} type veth peer name eth0 netns {ns}\nlink set {port} master {bridge}\nlink set {port} up\n"
        ));
    }
    batch(&[], &outside)?;
    for node in lab.nodes() {
        let inside = format!("addr add {}/24 dev eth0\nlink set lo up\nlink set eth0 up\n", lab.ip(&node));
        batch(&["-n", &namespace(lab, &node)?], &inside)?;
    }
    Ok(())
}

/// Makes the network again if a restart of the machine took it away.
///
/// # Errors
/// What `ip` said.
pub fn restore(lab: &Lab) -> Result<()> {
    if lab.nodes().iter().all(|n| lab.netns(n).is_none_or(|ns| Path::new("/run/netns").join(ns).exists())) {
        return Ok(());
    }
    remove(&lab.dir)?;
    make(lab)
}

fn namespace(lab: &Lab, node: &str) -> Result<String> {
    lab.netns(node).with_context(|| format!("{node} has no network namespace"))
}

/// Runs several `ip` commands at once.
fn batch(options: &[&str], lines: &str) -> Result<()> {
    feed(Command::new("ip").args(options).args(["-batch", "-"]), lines)
}

fn feed(command: &mut Command, input: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run {name}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let out = child.wait_with_output()?;
    if !out.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

/// Pulls a node's cable (`false`) or puts it back (`true`). The link stays up: packets vanish without a sign, both ways.
///
/// # Errors
/// What `ip` said.
pub fn connect(lab: &Lab, node: &str, on: bool) -> Result<()> {
    let (port, bridge) = (port(lab, node), bridge(lab));
    batch(&[], &if on { format!("link set {port} master {bridge}\n") } else { format!("link set {port} nomaster\n") })
}

/// Loads firewall rules in a node's namespace.
///
/// # Errors
/// What `nft` said.
pub fn firewall(lab: &Lab, node: &str, rules: &str) -> Result<()> {
    let net = format!("--net=/run/netns/{}", namespace(lab, node)?);
    feed(Command::new("nsenter").args([&net, "nft", "-f", "-"]), rules)
}

/// Removes whatever of a lab's network there is, by name. Safe to repeat.
///
/// # Errors
/// When something is there and cannot be removed.
pub fn remove(dir: &Path) -> Result<()> {
    let prefix = net_prefix(dir);
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|e| e.file_name().to_string_lossy().into_owned()).filter(|n| n.starts_with(&prefix)).collect()
    };
    // The cables first: a namespace is dismantled some time after its removal, and its cable with it.
    let links = names("/sys/class/net");
    batch_if_any(links.iter().map(|l| format!("link del {l}\n")).collect())?;
    batch_if_any(names("/run/netns").iter().map(|ns| format!("netns del {ns}\n")).collect())
}

fn batch_if_any(lines: Vec<String>) -> Result<()> {
    if lines.is_empty() { Ok(()) } else { batch(&[], &lines.concat()).context("cannot remove the lab's network") }
}
