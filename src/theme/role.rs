//! What a thing on the screen means.

macro_rules! roles {
    ($($id:ident $name:literal $doc:literal;)*) => {
        /// What a thing on the screen means. Displays as its name in theme files: `border.focus`.
        ///
        /// A role that a theme says nothing about looks as the one before its last dot, at last as `text`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::EnumString, strum::EnumIter, strum::IntoStaticStr)]
        pub enum Role { $(#[doc = $doc] #[strum(serialize = $name)] $id,)* }
    };
}

roles! {
    Text "text" "What has no other role.";
    Emphasis "emphasis" "What is to be read first.";
    Muted "muted" "What is to be read last: units, heads, what does not apply.";
    Program "program" "The name of the program.";
    Cluster "cluster" "The name of the cluster; the configuration can give it a colour.";
    Mode "mode" "READ-ONLY.";
    ModeOperator "mode.operator" "OPERATOR.";
    Clock "clock" "The time of day.";
    Title "title" "The title of a pane.";
    TitleFocus "title.focus" "The title of the pane that has the focus.";
    Border "border" "The line over a pane.";
    BorderFocus "border.focus" "The line over the pane that has the focus.";
    Column "column" "The head of a column.";
    Selected "selected" "The selected row.";
    Leader "leader" "The leader.";
    Replica "replica" "A replica.";
    ReplicaSync "replica.sync" "A replica in the synchronous set.";
    Node "node" "A node, in the logs.";
    Node1 "node.1" "The first node.";
    Node2 "node.2" "The second node.";
    Node3 "node.3" "The third node.";
    Node4 "node.4" "The fourth node.";
    Node5 "node.5" "The fifth node.";
    Node6 "node.6" "The sixth node; the seventh is as the first.";
    Ok "ok" "Verified, and good.";
    OkHeadline "ok.headline" "The verdict when all is well.";
    Unknown "unknown" "Not known.";
    UnknownHeadline "unknown.headline" "The verdict when not enough is known.";
    Warning "warning" "Wants attention.";
    WarningHeadline "warning.headline" "The verdict when something wants attention.";
    Critical "critical" "Broken, or about to be.";
    CriticalHeadline "critical.headline" "The verdict when something is broken.";
    Stale "stale" "An old value, with its age.";
    Chart "chart" "A value in a chart.";
    ChartWarning "chart.warning" "A value near its limit.";
    ChartCritical "chart.critical" "A value at its limit or over it.";
    ChartAxis "chart.axis" "Axis and marks.";
    Key "key" "A key to press.";
    Hint "hint" "What a key does.";
    Notice "notice" "What pgbaton itself has to say.";
    NoticeWarning "notice.warning" "The same, when it went wrong.";
    Overlay "overlay" "The ground of details and help.";
    OverlayBorder "overlay.border" "Their frame.";
    Match "match" "Text that is being looked for.";
}

impl Role {
    /// The name of the role that stands in for this one.
    pub(super) fn parent(name: &str) -> Option<&str> {
        match name.rsplit_once('.') {
            Some((parent, _)) => Some(parent),
            None if name == "text" => None,
            None => Some("text"),
        }
    }
}
