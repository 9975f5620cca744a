//! The doctor in the console: what it wants to know is asked beside the picture, once for each time that somebody wants it.

use futures_util::FutureExt;
use tokio::task::JoinHandle;

use crate::cli::doctor::{judged, survey};
use crate::config::Profile;
use crate::doctor::{Report, Survey};
use crate::live::Live;

/// The doctor with what is being asked for it.
pub(super) struct Examining {
    profile: Profile,
    asking: Option<JoinHandle<Survey>>,
}

impl Examining {
    /// Nobody is asked yet.
    pub fn new(profile: Profile) -> Self {
        Self { profile, asking: None }
    }

    /// Asks all who are known by now, unless that is under way.
    pub fn ask(&mut self, live: &Live) {
        if self.asking.is_none() {
            self.asking = Some(tokio::spawn(survey(live, &self.profile)));
        }
    }

    /// Whether somebody has not answered yet.
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// What it says, once all have answered or are given up.
    pub fn told(&mut self, live: &mut Live) -> Option<Result<Report, String>> {
        let survey = self.asking.as_mut()?.now_or_never()?;
        self.asking = None;
        Some(survey.map(|survey| judged(live, &survey)).map_err(|_| "what it wants to know could not be asked".to_owned()))
    }
}
