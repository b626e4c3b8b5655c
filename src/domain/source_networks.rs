//! The networks from which a secret is accepted, and the rule that compares an address with them.
//! Refuses a network with host bits. IPv4-mapped IPv6 addresses and networks count as IPv4. Called
//! by `limits`, which owns the limits of a token.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{limits::LimitError, terminal_text::escape};

/// Prefix length of the IPv6 network that contains the IPv4-mapped addresses.
const MAPPED_PREFIX: u8 = 96;

/// A network in CIDR form. A plain address is a network of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceNetwork(IpNet);

impl SourceNetwork {
    /// Creates the network with this first address and prefix length in bits. Returns `None` if the
    /// prefix is too long, if `address` has bits beyond the prefix, or if the network is an
    /// IPv4-mapped one, which has only its IPv4 form.
    pub fn new(address: IpAddr, prefix_len: u8) -> Option<Self> {
        let net = IpNet::new(address, prefix_len).ok()?;
        let network = Self::canonical(net);
        (net == net.trunc() && network.0 == net).then_some(network)
    }

    /// The first address of the network.
    pub fn address(self) -> IpAddr {
        self.0.addr()
    }

    /// The length of the prefix in bits.
    pub fn prefix_len(self) -> u8 {
        self.0.prefix_len()
    }

    fn canonical(net: IpNet) -> Self {
        if let IpNet::V6(v6) = net
            && let Some(prefix_len) = v6.prefix_len().checked_sub(MAPPED_PREFIX)
            && let Some(address) = v6.addr().to_ipv4_mapped()
            && let Ok(v4) = Ipv4Net::new(address, prefix_len)
        {
            return Self(v4.into());
        }
        Self(net)
    }

    /// Whether the network contains `address`, which must not be an IPv4-mapped address.
    fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether the network contains every address of `other`.
    fn covers(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }
}

impl FromStr for SourceNetwork {
    type Err = LimitError;

    /// Parses `ADDRESS/BITS` or `ADDRESS`.
    fn from_str(text: &str) -> Result<Self, LimitError> {
        let malformed = || LimitError::MalformedNetwork(text.to_owned());
        let trimmed = text.trim();
        let net = match trimmed.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => Ipv4Net::from(address).into(),
            Ok(IpAddr::V6(address)) => Ipv6Net::from(address).into(),
            Err(_) => trimmed.parse::<IpNet>().map_err(|_| malformed())?,
        };
        if net != net.trunc() {
            return Err(LimitError::HostBits {
                given: net.to_string(),
                network: net.trunc().to_string(),
            });
        }
        Ok(Self::canonical(net))
    }
}

impl fmt::Display for SourceNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A set of at least one and at most [`SourceNetworks::MAX`] networks, sorted and without
/// duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceNetworks(Vec<SourceNetwork>);

impl SourceNetworks {
    /// Maximum number of networks of a token.
    pub const MAX: usize = 64;

    /// Creates the set of these networks. Returns an error if there are none or too many.
    pub fn new(networks: impl IntoIterator<Item = SourceNetwork>) -> Result<Self, LimitError> {
        let mut networks: Vec<_> = networks.into_iter().collect();
        networks.sort_unstable();
        networks.dedup();
        match networks.len() {
            0 => Err(LimitError::NoNetwork),
            count if count > Self::MAX => Err(LimitError::TooManyNetworks),
            _ => Ok(Self(networks)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = SourceNetwork> {
        self.0.iter().copied()
    }

    /// Whether a network of the set contains `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.iter().any(|network| network.contains(address))
    }

    /// Whether one network of the set covers each network of `other`. An `other` that only several
    /// networks together cover does not count as covered.
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|inner| self.iter().any(|outer| outer.covers(inner)))
    }
}

impl FromStr for SourceNetworks {
    type Err = LimitError;

    /// Parses networks that are separated by commas or blanks.
    fn from_str(text: &str) -> Result<Self, LimitError> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        let networks = words.filter(|word| !word.is_empty()).map(str::parse);
        Self::new(networks.collect::<Result<Vec<_>, _>>()?)
    }
}

impl fmt::Display for SourceNetworks {
    /// Prints the networks, separated by a comma and a blank.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, network) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{network}")?;
        }
        Ok(())
    }
}

/// The address that the caller of a check gave for the bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceAddress<'a> {
    /// No address was given.
    Missing,
    /// The given text is not an IP address.
    Malformed(&'a str),
    Address(IpAddr),
}

impl<'a> SourceAddress<'a> {
    /// Parses the address that a caller gave.
    pub fn parse(text: Option<&'a str>) -> Self {
        match text {
            None => Self::Missing,
            Some(text) => text
                .trim()
                .parse()
                .map_or(Self::Malformed(text), |it: IpAddr| Self::Address(it.to_canonical())),
        }
    }
}

impl fmt::Display for SourceAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no address was given"),
            Self::Malformed(text) => write!(f, "`{}` is not an IP address", escape(text)),
            Self::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn networks(text: &str) -> SourceNetworks {
        text.parse().unwrap()
    }

    fn accepts(limit: &str, address: &str) -> bool {
        match SourceAddress::parse(Some(address)) {
            SourceAddress::Address(address) => networks(limit).contains(address),
            _ => panic!("{address} is no address"),
        }
    }

    #[test]
    fn a_plain_address_is_a_network_of_one() {
        assert_eq!(networks("192.0.2.7").to_string(), "192.0.2.7/32");
        assert_eq!(networks("2001:db8::1").to_string(), "2001:db8::1/128");
        assert!(accepts("192.0.2.7", "192.0.2.7") && !accepts("192.0.2.7", "192.0.2.8"));
    }

    #[test]
    fn mapped_addresses_are_compared_as_ipv4() {
        assert_eq!(networks("::ffff:10.0.0.0/104").to_string(), "10.0.0.0/8");
        assert_eq!(networks("::ffff:10.0.0.1").to_string(), "10.0.0.1/32");
        for limit in ["10.0.0.0/8", "::ffff:10.0.0.0/104", "0.0.0.0/0"] {
            assert!(accepts(limit, "10.1.2.3") && accepts(limit, "::ffff:10.1.2.3"), "{limit}");
            assert!(!accepts(limit, "2001:db8::1"), "{limit}");
        }
        assert!(!accepts("::/0", "10.1.2.3") && !accepts("::/0", "::ffff:10.1.2.3"));
        assert!(accepts("::/0", "2001:db8::1"));
    }

    #[test]
    fn invalid_networks_are_errors_with_a_hint() {
        for text in ["x", "10.0.0.0/33", "10.0.0/8", "1.2.3.4/", "::1/129", "10.0.0.1:80", "\u{1b}"]
        {
            let error = text.parse::<SourceNetwork>().unwrap_err().to_string();
            assert!(error.contains("use e.g. 10.0.0.0/8"), "{text}: {error}");
        }
        assert_eq!(
            "10.1.2.3/8".parse::<SourceNetwork>().unwrap_err().to_string(),
            "10.1.2.3/8 has bits beyond its prefix: use 10.0.0.0/8"
        );
        assert_eq!(SourceNetworks::from_str(" , "), Err(LimitError::NoNetwork));
        let many: Vec<_> = (0..=64).map(|n| format!("10.0.0.{n}")).collect();
        assert_eq!(SourceNetworks::from_str(&many.join(",")), Err(LimitError::TooManyNetworks));
    }

    #[test]
    fn a_set_covers_narrower_networks() {
        let wide = networks("10.0.0.0/8, 2001:db8::/32");
        assert!(wide.covers(&networks("10.1.0.0/16,10.0.0.1,2001:db8:1::/48")));
        assert!(wide.covers(&wide));
        assert!(!networks("10.1.0.0/16").covers(&networks("10.0.0.0/8")));
        assert!(!wide.covers(&networks("10.1.0.0/16,192.0.2.7")));
    }

    proptest! {
        #[test]
        fn an_ipv4_network_contains_what_its_prefix_matches(
            first in any::<u32>(), prefix in 0_u8..=32, address in any::<u32>(), near in any::<bool>(),
        ) {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            let first = first & mask;
            let address = if near { first | (address & !mask) } else { address };
            let limit = format!("{}/{prefix}", Ipv4Addr::from(first));
            let expected = address & mask == first;
            let plain = Ipv4Addr::from(address);
            prop_assert_eq!(accepts(&limit, &plain.to_string()), expected);
            prop_assert_eq!(accepts(&limit, &plain.to_ipv6_mapped().to_string()), expected);
            let mapped = format!("{}/{}", Ipv4Addr::from(first).to_ipv6_mapped(), prefix + 96);
            prop_assert_eq!(networks(&mapped), networks(&limit));
        }

        #[test]
        fn an_ipv6_network_contains_what_its_prefix_matches(
            first in any::<u128>(), prefix in 0_u8..=128, address in any::<u128>(), near in any::<bool>(),
        ) {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            let first = first & mask;
            let address = Ipv6Addr::from(if near { first | (address & !mask) } else { address });
            prop_assume!(address.to_ipv4_mapped().is_none());
            let limit = format!("{}/{prefix}", Ipv6Addr::from(first));
            let expected = u128::from(address) & mask == first;
            prop_assert_eq!(accepts(&limit, &address.to_string()), expected);
        }

        #[test]
        fn networks_round_trip_through_text(
            firsts in prop::collection::vec((any::<u128>(), 0_u8..=128, any::<bool>()), 1..9),
        ) {
            let set = firsts.into_iter().map(|(bits, prefix, is_v4)| {
                let (address, prefix) = if is_v4 {
                    let bits = u32::try_from(bits & u128::from(u32::MAX)).unwrap();
                    (IpAddr::from(Ipv4Addr::from(bits)), prefix.min(32))
                } else {
                    (IpAddr::from(Ipv6Addr::from(bits)), prefix)
                };
                SourceNetwork::canonical(IpNet::new(address, prefix).unwrap().trunc())
            });
            let set = SourceNetworks::new(set.collect::<Vec<_>>()).unwrap();
            prop_assert_eq!(set.to_string().parse(), Ok(set.clone()));
            for network in set.iter() {
                let again = SourceNetwork::new(network.address(), network.prefix_len());
                prop_assert_eq!(again, Some(network));
            }
        }

        #[test]
        fn any_text_is_parsed_without_a_panic(text in any::<String>()) {
            drop(text.parse::<SourceNetworks>());
            let shown = SourceAddress::parse(Some(&text)).to_string();
            prop_assert_eq!(crate::domain::terminal_text::first_unsafe(&shown), None);
        }
    }
}
