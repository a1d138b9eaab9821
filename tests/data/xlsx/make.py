#!/usr/bin/python3
"""Makes the spreadsheets beside it. Run it again after a change and commit what it made.

The first part needs openpyxl and XlsxWriter (Debian: python3-openpyxl, python3-xlsxwriter), the two
commonest programs that write .xlsx without Excel; the second writes archives by hand, as no honest
program would. All numbers are of the ranges set aside for fiction or patterns used as data only.
"""
import datetime
import os
import re
import zipfile

import openpyxl
import xlsxwriter

HERE = os.path.dirname(os.path.abspath(__file__))
STAMP = (2026, 1, 15, 12, 0, 0)


def path(name):
    return os.path.join(HERE, name)


def again_without_clock(name):
    """Packs an archive anew with fixed times, so that the same input makes the same file."""
    with zipfile.ZipFile(path(name)) as old:
        parts = [(i.filename, old.read(i)) for i in old.infolist()]
    parts = [(part, re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-15T12:00:00Z", data)
              if part == "docProps/core.xml" else data) for part, data in parts]
    write_parts(name, parts)


def write_parts(name, parts, compress=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path(name), "w", compress) as new:
        for part, data in parts:
            info = zipfile.ZipInfo(part, STAMP)
            info.compress_type = compress
            new.writestr(info, data)


def leads_openpyxl():
    """Shared strings, numbers as telephone numbers, dates, two sheets, a hidden one in front."""
    book = openpyxl.Workbook()
    hidden = book.active
    hidden.title = "do not read"
    hidden.append(["phone"])
    hidden.append(["12025550199"])
    hidden.sheet_state = "hidden"
    sheet = book.create_sheet("客户")
    sheet.append(["手机号", "姓名", "公司", "注册资本(万元)", "成立日期", "邮编", "备注", "更多电话"])
    sheet.append([13800000001, "李雷", "云帆网络科技有限公司", 500, datetime.date(2009, 3, 12), 1007,
                  "a, \"b\"\nline two", "010-55550100；13800000009"])
    sheet.append(["13800000002", "韩梅梅", "明辉贸易,上海", 1200.5, datetime.datetime(2015, 7, 1, 9, 30), 518000,
                  True, None])
    sheet.append([])
    sheet.append([8613800000003, " 王 伟 ", None, None, None, None, "=1+1", None])
    for row in range(2, 6):
        sheet.cell(row=row, column=6).number_format = "000000"
        sheet.cell(row=row, column=5).number_format = "yyyy\\-mm\\-dd"
    book.create_sheet("second").append(["phone"])
    book.save(path("leads-openpyxl.xlsx"))
    again_without_clock("leads-openpyxl.xlsx")


def leads_xlsxwriter():
    """Inline strings (constant memory), 1904 dates, formulas with values, rich text, merged title."""
    book = xlsxwriter.Workbook(path("leads-xlsxwriter.xlsx"), {"constant_memory": True, "date_1904": True})
    sheet = book.add_worksheet("Leads")
    bold = book.add_format({"bold": True})
    day = book.add_format({"num_format": "d mmm yyyy"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    phone = book.add_format({"num_format": "000-000-0000"})
    sheet.merge_range(0, 0, 0, 5, "Spring campaign: do not pass on")
    sheet.write_row(2, 0, ["Phone Number", "First Name", "Last Name", "Date of Birth", "callback_at", "Score"])
    sheet.write_number(3, 0, 2025550101, phone)
    sheet.write_rich_string(3, 1, bold, "An", "na")
    sheet.write_string(3, 2, "O'Neil")
    sheet.write_datetime(3, 3, datetime.date(1980, 2, 29), day)
    sheet.write_datetime(3, 4, datetime.datetime(2026, 6, 1, 10, 0), moment)
    sheet.write_formula(3, 5, "=2*21", None, 42)
    sheet.write_string(4, 0, "+1 202-555-0102")
    sheet.write_string(4, 1, "Bob")
    sheet.write_boolean(4, 5, False)
    book.close()
    again_without_clock("leads-xlsxwriter.xlsx")


TYPES = ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types '
         'xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>')
RELS = ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships '
        'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>')
BOOK = ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><workbook '
        'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>')
TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
BOOK_RELS = ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships '
             'xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
             '<Relationship Id="rId1" Type="' + TYPE + 'worksheet" Target="worksheets/sheet1.xml"/>'
             '<Relationship Id="rId2" Type="' + TYPE + 'sharedStrings" Target="sharedStrings.xml"/>'
             '</Relationships>')
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def sheet(rows):
    return HEAD + '<worksheet ' + NS + '><sheetData>' + rows + '</sheetData></worksheet>'


def strings(*texts):
    return HEAD + '<sst ' + NS + '>' + "".join("<si><t>%s</t></si>" % t for t in texts) + '</sst>'


def by_hand(name, sheet_xml, strings_xml=None, book=BOOK, more=()):
    parts = [("[Content_Types].xml", TYPES), ("_rels/.rels", RELS), ("xl/workbook.xml", book),
             ("xl/_rels/workbook.xml.rels", BOOK_RELS), ("xl/worksheets/sheet1.xml", sheet_xml)]
    if strings_xml is not None:
        parts.append(("xl/sharedStrings.xml", strings_xml))
    write_parts(name, parts + list(more))


def inline(ref, text):
    return '<c r="%s" t="inlineStr"><is><t>%s</t></is></c>' % (ref, text)


PLAIN = '<row r="1">' + inline("A1", "phone") + inline("B1", "name") + '</row>'


def hostile():
    by_hand("hostile-entities.xlsx",
            HEAD + '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
            '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><worksheet ' + NS + '><sheetData><row r="1">'
            '<c r="A1" t="inlineStr"><is><t>&c;</t></is></c></row></sheetData></worksheet>')
    by_hand("hostile-external-entity.xlsx",
            HEAD + '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet ' + NS +
            '><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&x;</t></is></c></row></sheetData>'
            '</worksheet>')
    # 96 MiB of blanks between two rows: a hundred KiB packed.
    by_hand("hostile-zip-bomb.xlsx", sheet(PLAIN + " " * (96 << 20)))
    # One text of 32 KiB, named by 3,000 cells: 96 MiB of text from 1 KiB.
    by_hand("hostile-one-text-many-cells.xlsx",
            sheet("".join('<row r="%d"><c t="s"><v>0</v></c></row>' % (i + 1) for i in range(3000))),
            strings("x" * 32768))
    by_hand("hostile-deep.xlsx", sheet("<row>" * 500 + "</row>" * 500))
    by_hand("hostile-index.xlsx", sheet('<row r="1"><c r="A1" t="s"><v>7</v></c></row>'), strings("a"))
    by_hand("hostile-row-order.xlsx", sheet('<row r="5"></row><row r="2"></row>'))
    by_hand("hostile-row-number.xlsx", sheet('<row r="4294967295">' + inline("A4294967295", "x") + '</row>'))
    by_hand("hostile-column.xlsx", sheet('<row r="1">' + inline("ZZZZZZ1", "x") + '</row>'))
    by_hand("hostile-cell-order.xlsx", sheet('<row r="1">' + inline("C1", "x") + inline("A1", "y") + '</row>'))
    by_hand("hostile-not-xml.xlsx", "phone,name\n13800000001,x\n")
    by_hand("hostile-escapes.xlsx",
            sheet(PLAIN + '<row r="2"><c r="A2"><v>1.3800000001E+10</v></c>' +
                  inline("B2", "a_x000D__x000A_b_x0007_c_x005F_x") + '</row>'))
    write_parts("hostile-no-workbook.xlsx", [("a.txt", "not a spreadsheet")])
    by_hand("hostile-no-sheet.xlsx", sheet(PLAIN), book=BOOK.replace("rId1", "rId9"))
    with open(path("leads-openpyxl.xlsx"), "rb") as whole:
        data = whole.read()
    with open(path("hostile-cut.xlsx"), "wb") as cut:
        cut.write(data[:len(data) // 2])
    # A program that writes no references, with a prefix on every element (ECMA-376 allows both).
    bare = (HEAD + '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            '<x:sheetData><x:row><x:c t="str"><x:v>phone</x:v></x:c><x:c t="str"><x:v>name</x:v></x:c>'
            '</x:row><x:row><x:c><x:v>13800000001</x:v></x:c><x:c t="e"><x:v>#N/A</x:v></x:c></x:row>'
            '</x:sheetData></x:worksheet>')
    by_hand("bare-prefixed.xlsx", bare)


def other_kinds():
    with zipfile.ZipFile(path("other.ods"), "w") as ods:
        ods.writestr(zipfile.ZipInfo("mimetype", STAMP), "application/vnd.oasis.opendocument.spreadsheet")
        ods.writestr(zipfile.ZipInfo("content.xml", STAMP), "<x/>")
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016)
    with open(path("other.xls"), "wb") as xls:
        xls.write(old + bytes(1024))
    with open(path("password.xlsx"), "wb") as secret:
        secret.write(old + "EncryptedPackage".encode("utf-16-le") + bytes(992))
    write_parts("binary.xlsb", [("[Content_Types].xml", TYPES), ("_rels/.rels", RELS.replace(".xml\"/>", ".bin\"/>")),
                                ("xl/workbook.bin", b"\x83\x01\x00")])


leads_openpyxl()
leads_xlsxwriter()
hostile()
other_kinds()
