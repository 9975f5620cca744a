//! The cluster as a plan is made on it, from the living picture.

use crate::action::Situation;
use crate::finding::Forecast;
use crate::live::Live;

/// Calls `f` with the situation at this moment.
pub fn with_situation<T>(live: &Live, f: impl FnOnce(&Situation<'_>) -> T) -> T {
    let now = live.now();
    let cluster = live.cluster();
    let forecast = Forecast::of(cluster, now);
    f(&Situation { cluster, forecast: &forecast, limits: live.picture().limits(), now })
}
