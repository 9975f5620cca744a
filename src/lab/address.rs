//! Finding a block of loopback addresses that nobody uses, so that labs run side by side.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use anyhow::{Result, bail};

use super::layout::{
    AMQP, ERLANG, ETCD, ETCD_PEER, MANAGEMENT, POSTGRES, PROXIES, RABBITS, READ, REST, SSH, STATS, TARGET, WRITE, address, epmd_port,
};

/// A block held against other labs that are being started at the same moment, whatever their state directory.
///
/// The hold is a socket in the kernel's abstract name space: it takes no port and no file, and ends with the process.
#[derive(Debug)]
pub struct Claim {
    /// First address of the block.
    pub block: Ipv4Addr,
    #[allow(dead_code, reason = "held, not read")]
    hold: UnixListener,
}

/// Claims the first of `candidates` for which `free` says so.
///
/// # Errors
/// When none is left.
pub fn claim(candidates: impl Iterator<Item = Ipv4Addr>, free: impl Fn(Ipv4Addr) -> bool) -> Result<Claim> {
    for block in candidates {
        let name = SocketAddr::from_abstract_name(format!("pgbaton-lab-{block}"))?;
        if let Ok(hold) = UnixListener::bind_addr(&name)
            && free(block)
        {
            return Ok(Claim { block, hold });
        }
    }
    bail!("no free block of addresses is left for a lab")
}

/// The blocks 127.77.1.0 to 127.77.254.0, beginning at one that follows from `seed` so that labs do not all queue at the first.
pub fn loopback_blocks(seed: u32) -> impl Iterator<Item = Ipv4Addr> {
    let first = seed % 254;
    (0..254_u32).map(move |i| {
        let third = u8::try_from((first + i) % 254 + 1).unwrap_or(1);
        Ipv4Addr::new(127, 77, third, 0)
    })
}

/// Whether none of a lab's ports is taken on any address a lab of nine members would use.
#[must_use]
pub fn ports_free(block: Ipv4Addr) -> bool {
    let free =
        |node: &str, ports: &[u16]| ports.iter().all(|port| TcpListener::bind(SocketAddrV4::new(address(block, node), *port)).is_ok());
    (1..=9).all(|n| free(&format!("psg{n}"), &[ETCD, ETCD_PEER, REST, POSTGRES, SSH]))
        && PROXIES.iter().all(|p| free(p, &[WRITE, READ, STATS, SSH]))
        && free(TARGET, &[SSH])
        && RABBITS
            .iter()
            .all(|node| free(node, &[AMQP, MANAGEMENT, ERLANG + u16::from(address(block, node).octets()[3]), epmd_port(block), SSH]))
        && TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, epmd_port(block))).is_ok()
}

/// FNV-1a: a short number that follows from a text, the same in every build.
#[must_use]
pub fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_block_is_not_given_twice() {
        let one = claim(loopback_blocks(7), ports_free).unwrap();
        let two = claim(loopback_blocks(7), ports_free).unwrap();
        assert_ne!(one.block, two.block);
        let taken = one.block;
        drop(one);
        assert_eq!(claim(std::iter::once(taken), |_| true).unwrap().block, taken);
    }

    #[test]
    fn a_block_with_one_port_in_use_is_not_free() {
        let got = claim(loopback_blocks(hash("port-in-use")), ports_free).unwrap();
        let other = TcpListener::bind(SocketAddrV4::new(address(got.block, "psg3"), REST)).unwrap();
        assert!(!ports_free(got.block));
        drop(other);
        assert!(ports_free(got.block));
    }

    #[test]
    fn every_block_is_tried_once() {
        let mut all: Vec<_> = loopback_blocks(200).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 254);
    }
}
