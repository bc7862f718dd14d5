"""How a doctor's calendar looks: FullCalendar's boxes say what fits into them, and the rest on hover."""

_EVERYWHERE = """
    .fc { font-size: 0.875rem; --fc-border-color: rgba(128, 134, 139, 0.35); }
    .fc-event { border-width: 0; cursor: pointer; }
    .fc-event:focus-visible { outline: 3px solid currentColor; outline-offset: 1px; }
    .fc-daygrid-event { white-space: nowrap; overflow: hidden; }
    .fc-daygrid-event .fc-event-time { flex-shrink: 0; overflow: visible; margin-right: 3px; }
    .fc-list-event-title, .fc-list-event-title a { white-space: normal; overflow-wrap: anywhere; }
    .fc-license-message { font-size: 10px; }
"""
# Where there is no room for both times, the second wraps to a line that is cut off; where there is none for
# any, they are still read to whoever does not see.
_WEEK = """
    .fc-timegrid-event { container-type: size; }
    .fc-timegrid-event .fc-event-main { padding: 1px 4px; overflow: hidden; line-height: 1.3; }
    .fc-timegrid-event .fc-event-title { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
    @container (min-height: 56px) { .fc-timegrid-event .fc-event-title { white-space: normal; } }
    .fc-timegrid-event-short .fc-event-main { padding: 0 4px; }
    .fc-timegrid-event-short .fc-event-main-frame {
        flex-wrap: nowrap; align-items: center; height: 100%; line-height: 1.15;
    }
    .fc-timegrid-event-short :is(.fc-event-time, .fc-event-title) { font-size: 0.75rem; }
    .fc-timegrid-event-short .fc-event-time {
        flex: none; width: min-content; height: 1.15em; margin-right: 4px;
        white-space: normal; overflow: hidden;
    }
    .fc-timegrid-event-short .fc-event-time::after { content: none; }
    .fc-timegrid-event-short .fc-event-title-container { min-width: 0; }
    @container (max-width: 80px) {
        .fc-timegrid-event .fc-event-main { padding: 0 2px; }
        .fc-timegrid-event .fc-event-time { width: min-content; height: 1.3em; white-space: normal; }
        .fc-timegrid-event .fc-event-title { text-overflow: clip; overflow-wrap: anywhere; }
        .fc-timegrid-event-short .fc-event-time { position: absolute; clip-path: inset(50%); }
    }
"""
# The pointer falls through what is laid open, so that it reaches the next visit below and the lower edge.
_LAID_OPEN = """
    .fc-timegrid-col-events:has(.fc-event:hover, .fc-event:focus-visible) { z-index: 8; }
    .fc-timegrid-event-harness:has(> .fc-event:hover, > .fc-event:focus-visible) { z-index: 9 !important; }
    .fc-timegrid-event:is(:hover, :focus-visible) .fc-event-main { overflow: visible; background: inherit; }
    .fc-timegrid-event:is(:hover, :focus-visible) .fc-event-main-frame {
        position: absolute; top: 0; left: 0; display: block; box-sizing: border-box; pointer-events: none;
        width: max-content; min-width: 100%; max-width: 240px; height: auto; min-height: 100%;
        padding: 1px 4px 3px; border-radius: 3px; line-height: 1.3;
        background: inherit; box-shadow: 0 2px 8px rgba(0, 0, 0, 0.4);
    }
    @media (max-width: 500px) { .fc-timegrid-event .fc-event-main-frame { max-width: 180px !important; } }
    .fc-timegrid-col:nth-last-child(-n + 4) .fc-timegrid-event .fc-event-main-frame { left: auto; right: 0; }
    .fc-timegrid-event:is(:hover, :focus-visible) .fc-event-time {
        position: static; display: block; width: auto; height: auto; white-space: nowrap; clip-path: none;
    }
    .fc-timegrid-event:is(:hover, :focus-visible) .fc-event-title { white-space: normal; }
"""
STYLE = _EVERYWHERE + _WEEK + _LAID_OPEN
