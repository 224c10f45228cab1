//! Which addresses belong to the own machine or network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Whether `address` (`https://erp.example/api`, or `mail.example:587`) says by itself that it belongs to the own
/// machine or network: a number in any of its clothes, or `localhost`. What a name stands for is judged at each call.
#[must_use]
pub fn names_own_network(address: &str) -> bool {
    let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let Ok(url) = Url::parse(&url) else { return false };
    let Some(host) = url.host_str() else { return false };
    let name = host.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    name.trim_start_matches('[').trim_end_matches(']').parse().is_ok_and(is_private)
}

/// Whether `address` is loopback, private, link-local, shared, multicast or otherwise not of the public internet.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => is_private_v6(v6),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // shared address space of providers
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || (a == 198 && (b == 18 || b == 19)) // benchmarks
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = embedded_v4(address) {
        return is_private_v4(v4);
    }
    let first = address.segments()[0];
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (first & 0xfe00) == 0xfc00 // unique local
        || (first & 0xffc0) == 0xfe80 // link-local
        || (first & 0xffc0) == 0xfec0 // site-local, deprecated but routed by some
        || (first == 0x2001 && address.segments()[1] == 0x0db8) // documentation
}

/// IPv4 in the clothes of IPv6: mapped, compatible, NAT64 and 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(v4(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{is_private, names_own_network};

    #[test]
    fn private_addresses_are_known_in_all_their_clothes() {
        let private = [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
        ];
        for address in private {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        let public =
            ["1.1.1.1", "172.32.0.1", "100.128.0.1", "192.167.0.1", "2606:4700::1111", "::ffff:1.1.1.1"];
        for address in public {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_of_the_own_network_is_told_before_anybody_connects() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0",
            "localhost",
            "LOCALHOST",
            "a.localhost.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fd00::8]",
            "169.254.169.254",
            "100.64.0.1",
            "192.168.1.1",
        ] {
            for address in
                [format!("http://{host}/"), format!("https://u:p@{host}:8443/x"), format!("{host}:25")]
            {
                assert!(names_own_network(&address), "{address}");
            }
        }
        for address in [
            "https://erp.example/",
            "mail.example:587",
            "https://1.1.1.1/",
            "https://localhost.example/",
            "-",
            "",
        ] {
            assert!(!names_own_network(address), "{address}");
        }
    }
}
