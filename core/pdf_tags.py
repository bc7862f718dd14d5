"""What each part of a PDF is, for those who have it read to them: headings, paragraphs, tables, pictures."""

# mypy: allow-untyped-calls, allow-untyped-defs, allow-subclassing-any
# ReportLab has no types.

from dataclasses import dataclass, field
from typing import Any

from reportlab.pdfbase import pdfdoc


@dataclass(eq=False)
class Node:
    """A part of a document and what it holds: other parts, and marks as (page, number on the page)."""

    tag: str
    above: "Node | None" = None
    alternative: str = ""
    scope: str = ""  # of a heading in a table: Column or Row
    parts: list["Node"] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)

    def inner(self, tag: str, scope: str = "") -> "Node":
        made = Node(tag, above=self, scope=scope)
        self.parts.append(made)
        return made

    def top(self) -> "Node":
        return self if self.above is None else self.above.top()


class Outline:
    """The parts of one document in the order they are read, and the marks of each page."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: set[int] = set()
        self._pages: dict[int, list[Node]] = {}

    def mark(self, node: Node, page: int) -> int:
        """The number of a new mark on a page, which belongs to `node`."""
        top = node.top()
        if id(top) not in self._known:
            self._known.add(id(top))
            self.nodes.append(top)
        marks = self._pages.setdefault(page, [])
        marks.append(node)
        node.marks.append((page, len(marks) - 1))
        return len(marks) - 1

    def write(self, document: Any) -> None:
        """Put the parts into a document whose pages are finished."""
        for number, page in enumerate(document.Pages.pages):
            page.__class__ = _Page
            page.StructParents, page.Tabs = number, pdfdoc.PDFName("S")
        references: dict[int, Any] = {}
        root = pdfdoc.PDFDictionary({"Type": pdfdoc.PDFName("StructTreeRoot")})
        root_reference = document.Reference(root)
        whole = pdfdoc.PDFDictionary(
            {"Type": pdfdoc.PDFName("StructElem"), "S": pdfdoc.PDFName("Document"), "P": root_reference}
        )
        above = document.Reference(whole)
        kids = [document.Reference(_Element(node, above, document, references)) for node in self.nodes]
        whole.dict["K"] = pdfdoc.PDFArray(kids)
        root.dict["K"] = pdfdoc.PDFArray([above])
        numbers: list[Any] = []
        for number in range(len(document.Pages.pages)):
            held = [references[id(node)] for node in self._pages.get(number, [])]
            numbers += [number, document.Reference(pdfdoc.PDFArray(held))]
        root.dict["ParentTree"] = document.Reference(pdfdoc.PDFDictionary({"Nums": pdfdoc.PDFArray(numbers)}))
        root.dict["ParentTreeNextKey"] = len(document.Pages.pages)
        document.Catalog.StructTreeRoot = root_reference
        document.Catalog.MarkInfo = pdfdoc.PDFDictionary({"Marked": pdfdoc.PDFtrue})


class _Element(pdfdoc.PDFObject):
    """A part as the document names it (ISO 32000-1, 14.7.2); ReportLab's dictionaries take far longer."""

    __RefOnly__ = 1

    def __init__(self, node: Node, above: Any, document: Any, references: dict[int, Any]) -> None:
        self._node, self._above = node, above
        own = references[id(node)] = document.Reference(self)
        self._parts = [document.Reference(_Element(part, own, document, references)) for part in node.parts]

    def format(self, document: Any) -> bytes:
        node = self._node
        held = [part.format(document) for part in self._parts]
        for page, number in node.marks:
            at = pdfdoc.PDFObjectReference(f"Page{page + 1}").format(document)
            held.append(b"<</Type/MCR/Pg %b/MCID %d>>" % (at, number))
        said = [b"/Type/StructElem/S/%b/P %b" % (node.tag.encode(), self._above.format(document))]
        said.append(b"/K[%b]" % b" ".join(held))
        if node.alternative:
            said.append(b"/Alt %b" % pdfdoc.PDFString(node.alternative).format(document))
        if node.scope:
            said.append(b"/A<</O/Table/Scope/%b>>" % node.scope.encode())
        return b"<<%b>>" % b"".join(said)


class _Page(pdfdoc.PDFPage):
    """ReportLab knows nothing of the number under which a page's marks are found."""

    __NoDefault__ = [*pdfdoc.PDFPage.__NoDefault__, "StructParents", "Tabs"]  # noqa: RUF012 - as it is there
    __Refs__ = pdfdoc.PDFPage.__Refs__
