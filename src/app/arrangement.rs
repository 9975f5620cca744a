//! How the panes are arranged on the screen.

/// An arrangement. Displays as its name on the command line and in pgbaton.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::Display, strum::EnumString, strum::EnumIter, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Arrangement {
    /// One above the other, as for 80 columns.
    Stacked,
    /// The smaller ones in pairs, as for 120 columns.
    Paired,
    /// All in pairs, with the details of the selected row below, as for 160 columns.
    Wide,
    /// The same with the details at the right side, as for 250 columns.
    Beside,
}

impl Arrangement {
    /// The one for a screen of so many columns.
    pub fn usual(columns: u16) -> Self {
        match columns {
            0..110 => Self::Stacked,
            110..150 => Self::Paired,
            150..200 => Self::Wide,
            _ => Self::Beside,
        }
    }

    /// Columns below which its panes say too little.
    fn least(self) -> u16 {
        match self {
            Self::Stacked => 0,
            Self::Paired => 80,
            Self::Wide => 120,
            Self::Beside => 150,
        }
    }

    /// This one, or the widest that there is room for.
    pub fn within(self, columns: u16) -> Self {
        let all = [Self::Beside, Self::Wide, Self::Paired, Self::Stacked];
        all.into_iter().find(|one| *one <= self && one.least() <= columns).unwrap_or(Self::Stacked)
    }

    /// The one after `chosen` for which a screen of so many columns has room; at last the one by the size again.
    pub fn after(chosen: Option<Self>, columns: u16) -> Option<Self> {
        let next = match chosen {
            None => Self::Stacked,
            Some(Self::Stacked) => Self::Paired,
            Some(Self::Paired) => Self::Wide,
            Some(Self::Wide) => Self::Beside,
            Some(Self::Beside) => return None,
        };
        (next.least() <= columns).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::Arrangement::{Beside, Paired, Stacked, Wide};
    use super::*;

    #[test]
    fn what_has_no_room_is_passed_over() {
        assert_eq!([80, 120, 160, 250].map(Arrangement::usual), [Stacked, Paired, Wide, Beside]);
        assert_eq!(Beside.within(160), Beside);
        assert_eq!(Beside.within(130), Wide);
        assert_eq!(Wide.within(70), Stacked);
        let mut seen = vec![Arrangement::after(None, 120)];
        while let Some(Some(last)) = seen.last() {
            seen.push(Arrangement::after(Some(*last), 120));
        }
        assert_eq!(seen, [Some(Stacked), Some(Paired), Some(Wide), None]);
    }
}
