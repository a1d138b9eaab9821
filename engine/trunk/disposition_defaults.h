#pragma once

// The built-in rows of the disposition table, as a file would have them. Without early media they
// say what engine/call/outcome.cc says (a test walks every status and cause); the rows on what was
// heard come first because they are only for causes that say nothing, and a Q.850 cause that says
// something is believed before the ear.

namespace outpace::trunk::internal {

inline constexpr char kDefaultTable[] =
    R"table(# Status, Q.850 cause, heard, seconds -> outcome, disposition, trunk's fault. First match wins.
status,cause,heard,seconds,outcome,disposition,trunk_fault

# Our own stack heard nothing, or had nowhere to send. Nobody's phone was tried.
local,*,*,*,congestion,LRERR,yes

# An answer. What the agent makes of the call is the disposition; PDROP until then.
2xx,*,*,*,answered,PDROP,no

# Heard before the end, for causes that say nothing (none, 16 normal, 31 unspecified, 127 interworking).
# 487 among them: we hung up because of what we heard. First the announcements that were trained.
3xx|4xx|5xx|6xx,none|16|31|127,sit_vacant|vacant_number,*,invalid,ADC,no  # 空号 vacant number
3xx|4xx|5xx|6xx,none|16|31|127,sit_no_circuit|congestion,*,congestion,LRERR,yes
3xx|4xx|5xx|6xx,none|16|31|127,powered_off|suspended|unreachable|barred,*,unreachable,ADCT,no  # 关机, 停机, 无法接通, 呼入限制
3xx|4xx|5xx|6xx,none|16|31|127,busy,*,busy,AB,no                    # 正在通话中 busy
3xx|4xx|5xx|6xx,none|16|31|127,voicemail,*,no_answer,AA,no          # 语音信箱 before an answer
480|487|603,none|16|31|127,no_answer|wait,*,no_answer,NA,no         # 无人接听; asked to hold, nobody came
500|503,none|16|31|127,no_answer|wait,*,congestion,LRERR,yes
480|487|500|503|603,none|16|31|127,announcement|sit_info,*,unreachable,ADCT,no  # the reason was told by voice only
480|487|500|503|603,none|16|31|127,busy_tone,*,busy,AB,no           # 占线 busy
480|487|500|503|603,none|16|31|127,congestion_tone,*,congestion,LRERR,yes
480,31,ringback|speech_or_music,10-,no_answer,NA,no                 # it rang (彩铃): nobody came

# What a Q.850 cause says, whatever the status.
*,1|22|28,*,*,invalid,ADC,no           # 空号 vacant; changed; incomplete
*,17,*,*,busy,AB,no                    # 占线 busy
*,18|19,*,*,no_answer,NA,no            # no user responding; no answer
*,20,*,*,unreachable,ADCT,no           # 关机 switched off or out of coverage
*,27,*,*,unreachable,ADCT,no           # 停机 out of service: may be back when the bill is paid
*,21,*,*,rejected,NA,no                # 拒接 declined
*,2|3|34|38|41|42|47,*,*,congestion,LRERR,yes  # no route, no circuit, failures of the network
*,65|79|88,*,*,media,LRERR,no          # bearer, service or destination not compatible

# The status alone.
480,31,*,*,failed,LRERR,no             # RFC 3398 7.2.4.1: the gateway does not know
404|410|484|604,*,*,*,invalid,ADC,no   # 空号 vacant
486|600,*,*,*,busy,AB,no               # 占线 busy
408|480|487,*,*,*,no_answer,NA,no      # 无人接听 no answer
502,*,*,*,unreachable,ADCT,no          # RFC 3398 7.2.4.1: destination out of order
403|603|607|608,*,*,*,rejected,NA,no   # 拒接 declined; RFC 8197, RFC 8688
401|407|500|503|504,*,*,*,congestion,LRERR,yes
415|488|606,*,*,*,media,LRERR,no
*,*,*,*,failed,LRERR,no
)table";

}  // namespace outpace::trunk::internal
