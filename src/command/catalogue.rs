//! Every command, once.

/// Where a command can be given. An inner scope's keys come before an outer one's; [`Scope::Global`] is the outermost.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::EnumString, strum::EnumIter, strum::IntoStaticStr,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Scope {
    /// Everywhere.
    Global,
    /// In a pane.
    List,
    /// In the pane of logs; its keys come before those of a pane.
    Logs,
    /// In what lies over the panes: details, help.
    Overlay,
    /// In a list of which one row is to be chosen.
    Choice,
    /// In the view of a runbook.
    Book,
    /// While text is typed: the filter, a search, an answer.
    Text,
}

impl Scope {
    /// The heading over its keys in the help.
    pub fn title(self) -> &'static str {
        match self {
            Scope::Global => "Everywhere",
            Scope::List => "In a pane",
            Scope::Logs => "In the logs",
            Scope::Overlay => "In details and help",
            Scope::Choice => "In a list to choose from",
            Scope::Book => "In a runbook",
            Scope::Text => "While typing",
        }
    }
}

/// What a command can do to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Danger {
    /// Nothing: it changes what is on the screen.
    Harmless,
    /// It changes a setting or plans something.
    Changes,
    /// Clients notice it.
    Disrupts,
}

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Its id; the name in keymap files is this in kebab case.
    pub id: CommandId,
    /// A few words for a line of keys.
    pub title: &'static str,
    /// One sentence for the help.
    pub doc: &'static str,
    /// Where it can be given.
    pub scope: Scope,
    /// What it can do to the cluster.
    pub danger: Danger,
}

macro_rules! commands {
    ($($id:ident $scope:ident $danger:ident $title:literal $doc:literal;)*) => {
        /// The id of a command. Displays as its name in keymap files: `sort-next`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::EnumString, strum::EnumIter, strum::IntoStaticStr)]
        #[strum(serialize_all = "kebab-case")]
        pub enum CommandId { $(#[doc = $doc] $id,)* }

        /// Every command, in the order in which the help lists them.
        pub const COMMANDS: &[Command] = &[
            $(Command { id: CommandId::$id, title: $title, doc: $doc, scope: Scope::$scope, danger: Danger::$danger },)*
        ];
    };
}

commands! {
    Help         Global Harmless "help"       "Show every key and what it does.";
    Palette      Global Harmless "commands"   "Search for a command by a few letters, and run it.";
    Leave        Global Harmless "leave"      "As back; where nothing is on top, no filter is set and no pane has the full screen, quit.";
    Quit         Global Harmless "quit"       "Leave pgbaton at once; the terminal is put back as it was.";
    Back         Global Harmless "back"       "Close what is on top, else clear the filter, else leave the full screen.";
    PaneNext     Global Harmless "next pane"  "Go to the next pane.";
    PanePrevious Global Harmless "previous"   "Go to the previous pane.";
    Pane1        Global Harmless "pane 1"     "Go to pane 1.";
    Pane2        Global Harmless "pane 2"     "Go to pane 2.";
    Pane3        Global Harmless "pane 3"     "Go to pane 3.";
    Pane4        Global Harmless "pane 4"     "Go to pane 4.";
    Pane5        Global Harmless "pane 5"     "Go to pane 5.";
    Pane6        Global Harmless "pane 6"     "Go to pane 6.";
    Pane7        Global Harmless "pane 7"     "Go to pane 7.";
    Pane8        Global Harmless "pane 8"     "Go to pane 8.";
    Pane9        Global Harmless "pane 9"     "Go to pane 9.";
    Pane0        Global Harmless "pane 10"    "Go to pane 10, which has the digit 0.";
    Zoom         Global Harmless "zoom"       "Give the pane the whole screen, or take it back.";
    Up           Global Harmless "up"         "One row up.";
    Down         Global Harmless "down"       "One row down.";
    PageUp       Global Harmless "page up"    "One page up.";
    PageDown     Global Harmless "page down"  "One page down.";
    Top          Global Harmless "first row"  "Go to the first row.";
    Bottom       Global Harmless "last row"   "Go to the last row.";
    Theme        Global Harmless "theme"      "Choose how it looks; what is selected is shown at once.";
    Keymap       Global Harmless "keymap"     "Choose the keys; those that are chosen count at once.";
    Layout       Global Harmless "layout"     "Arrange the panes in the next way for which there is room.";
    CopyValue    Global Harmless "copy value" "Copy the name of the selected row to the clipboard, by way of the terminal.";
    CopyRow      Global Harmless "copy row"   "Copy the selected row as it is shown.";
    CopyDetails  Global Harmless "copy evidence" "Copy everything that is known of the selected row, with its evidence.";
    Suspend      Global Harmless "suspend"    "Stop pgbaton and give the terminal to the shell; `fg` comes back.";
    Redraw       Global Harmless "redraw"     "Draw the whole screen anew.";
    Open         List   Harmless "details"    "Show everything that is known of the selected row, with source and age.";
    SortNext     List   Harmless "sort"       "Sort the rows by the next column.";
    SortReverse  List   Harmless "reverse"    "Turn the order of the rows round.";
    Filter       List   Harmless "filter"     "Show only the rows that contain a text.";
    LogsAround   List   Harmless "logs around" "Show what all nodes logged around the selected event.";
    LogFollow    Logs   Harmless "follow"     "Follow the newest line, or stay where one is.";
    LogSearch    Logs   Harmless "search logs" "Search for a text, or /an expression/; what is found is lit up.";
    LogNext      Logs   Harmless "next hit"   "Go to the next line below that has what is searched for.";
    LogPrevious  Logs   Harmless "hit above"  "Go to the next line above that has what is searched for.";
    LogLevel     Logs   Harmless "level"      "Show warnings and worse, then errors and worse, then all again.";
    LogNode      Logs   Harmless "this node"  "Show only the node of this line, or all nodes again.";
    LogProgram   Logs   Harmless "this program" "Show only the program of this line, or all again.";
    LogTime      Logs   Harmless "go to time" "Go to a time that is typed: 03:12, -10min.";
    LogEventNext Logs   Harmless "next event" "Go to the next event of the timeline.";
    LogEventBefore Logs Harmless "event before" "Go to the event of the timeline before.";
    LogMark      Logs   Harmless "mark"       "Mark this line, or take its mark away.";
    LogMarkNext  Logs   Harmless "next mark"  "Go to the next line with a mark.";
    LogSave      Logs   Harmless "save"       "Save the lines that are shown to a file that is asked for, masked as they are shown.";
    LogUnmask    Logs   Harmless "unmask"     "Show passwords and other secrets as they stand in the lines, or mask them again.";
    Search       Overlay Harmless "search"    "Show only the lines that contain a text.";
    Switchover   List   Disrupts "switchover" "Hand the leadership to the selected replica, or from the selected leader to the best.";
    SwitchoverAt List   Changes  "switchover at"  "Hand the leadership over in the same way, at a time that is typed.";
    Failover     List   Disrupts "failover"   "Give the leadership to the selected member, leader or not.";
    Restart      List   Disrupts "restart"    "Restart the selected member's PostgreSQL.";
    RestartAt    List   Changes  "restart at" "Restart the selected member's PostgreSQL at a time that is typed.";
    RestartPending Global Disrupts "restart pending"  "Restart the next member whose settings wait for it, replicas first.";
    RestartRolling Global Disrupts "restart rolling"  "Restart the members one after the other, the leader last, by a switchover.";
    Reload       List   Changes  "reload"     "Have the selected member's Patroni read its configuration again.";
    Reinit       List   Disrupts "reinit"     "Throw the selected replica's data away and copy it anew.";
    Checkpoint   List   Changes  "checkpoint" "Have the selected member make a checkpoint.";
    ResumeReplay List   Changes  "resume replay"  "Have the selected standby go on replaying.";
    DropSlot     List   Disrupts "drop slot"  "Drop a slot of the selected member that nobody uses.";
    Terminate    List   Disrupts "end session" "End a client's session on the selected member that stands in the way.";
    FlushRestart List   Changes  "cancel restart" "Take back the scheduled restart of the selected member.";
    Pause        Global Changes  "pause"      "Switch the maintenance mode on: Patroni manages nothing.";
    Resume       Global Changes  "resume"     "Switch the maintenance mode off.";
    FlushSwitchover Global Changes "cancel switchover" "Take back the scheduled switchover.";
    SetProxy     Global Disrupts "haproxy server"    "Drain a server of an HAProxy, take it out, or give it back to the checks.";
    EditConfig   Global Changes  "edit config" "Edit the dynamic configuration in $VISUAL or $EDITOR.";
    UndoConfig   Global Changes  "undo edit"  "Take back the last edit of the configuration that was made by pgbaton.";
    DemoteCluster Global Disrupts "demote cluster"    "Make the cluster a standby of another, which is typed.";
    PromoteCluster Global Disrupts "promote cluster"  "Make a standby cluster one of its own.";
    Remove       Global Disrupts "remove cluster"     "Delete what Patroni keeps of the cluster in etcd.";
    Freeze       Global Changes  "freeze airflow"     "Give Airflow's pools 0 slots, so that no task begins, and remember what they had.";
    Thaw         Global Changes  "thaw airflow"       "Give Airflow's pools back what they had before they were frozen.";
    Doctor       Global Harmless "doctor"     "Show what would hurt in a failover; in that pane, have all be asked anew.";
    ShowConfig   Global Harmless "show config" "Show the dynamic configuration.";
    Course       Global Harmless "progress"   "Show the action under way, or the last one.";
    Runbooks     Global Harmless "runbooks"   "Read the runbook that answers the finding; else the one begun, or the list.";
    BookGo       Book   Harmless "go on"      "Begin the run, answer the question, or show the plan of the step.";
    BookYes      Book   Harmless "yes"        "Yes: it is so, it is done.";
    BookNo       Book   Harmless "no"         "No: it is not so, it is not done.";
    BookAgain    Book   Harmless "again"      "Take the step again that did not come to be.";
    BookSettled  Book   Harmless "was done"   "Take an action for done of which nobody knows.";
    BookSkip     Book   Harmless "pass over"  "Pass the step over, with a reason.";
    BookNote     Book   Harmless "note"       "Write something down that is to be remembered.";
    BookAbort    Book   Harmless "end run"    "End the run, with a reason.";
    Choose       Choice Harmless "choose"     "Take the selected row.";
    Accept       Text   Harmless "keep"       "Keep the text and go back to the rows.";
    Discard      Text   Harmless "clear"      "Throw the text away and go back to the rows.";
    CopyCommand  Text   Harmless "copy command" "Copy the command line of patronictl that does the same as the plan.";
    HistoryPrevious Text Harmless "older"     "Take what was typed before; in a list or a dialog, go one up.";
    HistoryNext  Text   Harmless "newer"      "Take what was typed after that; in a list or a dialog, go one down.";
    CursorLeft   Text   Harmless "left"       "Go one character back.";
    CursorRight  Text   Harmless "right"      "Go one character on.";
    CursorStart  Text   Harmless "start"      "Go to the start of the text.";
    CursorEnd    Text   Harmless "end"        "Go to the end of the text.";
    WordLeft     Text   Harmless "word back"  "Go to the start of the word.";
    WordRight    Text   Harmless "word on"    "Go to the end of the word.";
    EraseChar    Text   Harmless "erase"      "Erase the character before the cursor.";
    EraseNext    Text   Harmless "delete"     "Erase the character at the cursor.";
    EraseWord    Text   Harmless "cut word"   "Cut out what stands before the cursor, back to a space.";
    EraseWordNext Text  Harmless "cut on"     "Cut out what follows, to the end of the word.";
    EraseStart   Text   Harmless "cut start"  "Cut out everything before the cursor.";
    EraseEnd     Text   Harmless "cut end"    "Cut out everything from the cursor on.";
    Yank         Text   Harmless "put back"   "Put in what was cut out last; never into what confirms a plan.";
}

impl CommandId {
    /// Its entry in [`COMMANDS`].
    pub fn command(self) -> &'static Command {
        // The macro lists ids and entries in one order.
        &COMMANDS[self as usize]
    }

    /// The number of the pane that it goes to, from 1.
    pub fn pane_number(self) -> Option<usize> {
        use CommandId::{Pane0, Pane1, Pane2, Pane3, Pane4, Pane5, Pane6, Pane7, Pane8, Pane9};
        [Pane1, Pane2, Pane3, Pane4, Pane5, Pane6, Pane7, Pane8, Pane9, Pane0].iter().position(|id| *id == self).map(|n| n + 1)
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn every_id_finds_its_own_entry() {
        for id in CommandId::iter() {
            assert_eq!(id.command().id, id);
        }
        assert_eq!(COMMANDS.len(), CommandId::iter().count());
    }

    /// Columns that the box of keys has for a title.
    const MOST: usize = 17;

    #[test]
    fn docs_are_sentences_and_titles_are_short() {
        for command in COMMANDS {
            assert!(command.doc.ends_with('.') && command.doc.len() < 90, "{}", command.doc);
            assert!(command.title.len() <= MOST, "{}", command.title);
        }
    }
}
