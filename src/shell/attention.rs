//! Calling the one who looks elsewhere: the bell, a notification of the desktop, the window's title; and the clipboard.
//!
//! The bell is one byte that every terminal knows, so it rings everywhere. What notifications and titles need is not known over SSH: what
//! terminal there is at the other end is told by variables that SSH does not carry, and a title cannot be put back where the terminal does
//! not keep it. So they are for the machine that one sits at, unless it is asked for otherwise.

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;

use crate::app::State;
use crate::document::Level;
use crate::model::clean;

/// When something is done that the terminal has to understand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::Display, strum::EnumString, strum::EnumIter, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum When {
    /// On the machine that one sits at, not over SSH.
    #[default]
    Local,
    /// Over SSH as well.
    Always,
    /// Not at all.
    Never,
}

/// When, and in whose words, the desktop is notified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::Display, strum::EnumString, strum::EnumIter, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Notify {
    /// Not over SSH, and where the terminal is known to understand one of the two.
    #[default]
    Local,
    /// Not at all.
    Never,
    /// Always, as iTerm2 has it: `OSC 9`.
    Osc9,
    /// Always, as urxvt has it: `OSC 777`.
    Osc777,
}

/// What is wanted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The bell.
    pub bell: When,
    /// A notification.
    pub notify: Notify,
    /// The window's title.
    pub title: When,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { bell: When::Always, notify: Notify::Local, title: When::Local }
    }
}

/// What is done on this terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attention {
    bell: bool,
    notify: Option<Notify>,
    /// Whether the window's title is ours.
    pub(super) title: bool,
}

/// Longest text of a notification or a title, in characters.
const LONGEST: usize = 160;

impl Attention {
    /// What is done of what is wanted. `get` reads environment variables.
    pub fn of(wanted: Wanted, get: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| get(name).is_some_and(|value| !value.is_empty());
        let far = set("SSH_CONNECTION") || set("SSH_TTY");
        let when = |when: When| when == When::Always || (when == When::Local && !far);
        let value = |name: &str| get(name).unwrap_or_default();
        let known = match (value("TERM_PROGRAM").as_str(), value("TERM").as_str()) {
            ("iTerm.app" | "WezTerm" | "ghostty", _) | (_, "xterm-kitty" | "xterm-ghostty") => Some(Notify::Osc9),
            (_, term) if term.starts_with("rxvt-unicode") || term.starts_with("foot") => Some(Notify::Osc777),
            _ if set("VTE_VERSION") => Some(Notify::Osc777),
            _ => None,
        };
        let notify = match wanted.notify {
            Notify::Local => known.filter(|_| !far),
            Notify::Never => None,
            asked => Some(asked),
        };
        // The Linux console has no window.
        let window = !matches!(value("TERM").as_str(), "linux" | "dumb" | "");
        Self { bell: when(wanted.bell), notify, title: when(wanted.title) && window }
    }

    /// The bytes that call for this sentence.
    pub(super) fn call(self, cluster: &str, sentence: &str) -> String {
        let mut out = String::new();
        let text = short(sentence);
        match self.notify {
            Some(Notify::Osc9) => out.push_str(&format!("\x1b]9;pgbaton {}: {text}\x1b\\", short(cluster))),
            // What stands between semicolons is a field there.
            Some(_) => {
                out.push_str(&format!("\x1b]777;notify;pgbaton {};{}\x1b\\", short(cluster).replace(';', ","), text.replace(';', ",")))
            }
            None => {}
        }
        if self.bell {
            out.push('\x07');
        }
        out
    }
}

/// What the window is called: the cluster, who leads, and whether something is broken. It changes when that does, and not with the time.
pub(super) fn title(state: &State) -> String {
    let document = state.facts.document.as_deref();
    let name = document.map_or(state.cluster.as_str(), |document| document.cluster.name.as_str());
    let leads = document.map_or("", |document| document.headline.leads.as_str());
    let broken = document.is_some_and(|document| document.headline.level == Level::Critical);
    let parts = [if broken { "CRITICAL" } else { "" }, state.label.as_deref().unwrap_or_default(), name];
    let head = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    short(&if leads.is_empty() { head } else { format!("{head}: {leads}") })
}

/// The bytes that give the window a title.
pub(super) fn titled(title: &str) -> String {
    format!("\x1b]2;{title}\x1b\\")
}

fn short(text: &str) -> String {
    clean(text).chars().take(LONGEST).collect()
}

/// Most bytes of a text that is copied; a slow line carries them in some seconds.
const MOST: usize = 8192;

/// The bytes that copy a text by way of the terminal (`OSC 52`).
///
/// # Errors
/// It is too long; the error is a sentence.
pub(super) fn copied(text: &str) -> Result<String, String> {
    if text.len() > MOST {
        return Err(format!("{} bytes are too many to copy, {MOST} at most", text.len()));
    }
    let mut out = String::new();
    CopyToClipboard::to_clipboard_from(text).write_ansi(&mut out).map_err(|_| "it cannot be written".to_owned())?;
    Ok(out)
}

/// What is to be said of the clipboard of this terminal. It never answers, so that no more can be known.
pub fn clipboard_of(get: impl Fn(&str) -> Option<String>) -> &'static str {
    let value = |name: &str| get(name).unwrap_or_default();
    let term = value("TERM");
    if value("TERM_PROGRAM") == "Apple_Terminal" || matches!(term.as_str(), "linux" | "") || !value("VTE_VERSION").is_empty() {
        "this terminal is known not to take it (OSC 52)"
    } else if !value("TMUX").is_empty() || term.starts_with("tmux") {
        "if tmux passes it on (set-clipboard on)"
    } else if term.starts_with("screen") {
        "screen does not pass it on"
    } else {
        "if the terminal allows it (OSC 52)"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn over_ssh_only_the_bell_rings_unless_more_is_asked_for() {
        let local = Attention::of(Wanted::default(), env(&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")]));
        assert_eq!(local, Attention { bell: true, notify: Some(Notify::Osc777), title: true });
        let far = [("TERM", "xterm-kitty"), ("SSH_CONNECTION", "10.0.0.1 50022 10.0.0.8 22")];
        let told = |wanted| Attention::of(wanted, |name| far.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()));
        assert_eq!(told(Wanted::default()), Attention { bell: true, notify: None, title: false });
        let all = Wanted { bell: When::Never, notify: Notify::Osc9, title: When::Always };
        assert_eq!(told(all), Attention { bell: false, notify: Some(Notify::Osc9), title: true });
        let unknown = Attention::of(Wanted::default(), env(&[("TERM", "xterm-256color")]));
        assert_eq!(unknown.notify, None, "an unknown terminal would show it as text");
        assert!(!Attention::of(Wanted::default(), env(&[("TERM", "linux")])).title);
    }

    #[test]
    fn a_call_is_washed_and_short() {
        let all = Attention { bell: true, notify: Some(Notify::Osc777), title: true };
        let told = all.call("card;prod", &format!("psg1\x1b]0;evil\x07 leads; {}", "x".repeat(400)));
        assert_eq!(told.matches('\x1b').count(), 2, "{told:?}");
        assert!(told.starts_with("\x1b]777;notify;pgbaton card,prod;psg1") && told.ends_with("\x1b\\\x07"), "{told:?}");
        assert!(told.len() < 260);
        assert_eq!(Attention::default().call("card-prod", "psg1 leads"), "");
    }

    #[test]
    fn what_is_copied_has_a_limit() {
        assert_eq!(copied("psg1").expect("it is short"), "\x1b]52;c;cHNnMQ==\x1b\\");
        assert!(copied(&"x".repeat(MOST + 1)).expect_err("it is long").contains("8193 bytes"));
    }
}
