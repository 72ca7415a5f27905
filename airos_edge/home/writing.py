"""How the same words may be written: what keyboards and recognisers write differently is made the same."""

import unicodedata
from collections.abc import Mapping
from typing import Any

APOSTROPHES = str.maketrans("’ʼ`´", "''''")
PAIRS = (
    "廚厨 廳厅 臥卧 書书 衛卫 間间 廁厕 陽阳 臺台 檯台 車车 庫库 門门 戶户 兒儿 辦办 燈灯 電电 "
    "視视 開开 關关 機机 熱热 壺壶 調调 濕湿 簾帘 閣阁 樓楼 園园 過过 腦脑 響响 掃扫 氣气 爐炉 "
    "魚鱼 聖圣 誕诞 樹树 請请 幫帮 給给 讓让 個个 們们 這这 嗎吗 現现 時时 幾几 點点 鐘钟 鍾钟 "
    "兩两 設设 進进 裡里 裏里 後后 邊边 從从 東东 見见 單单 場场 應应 該该 飯饭 爺爷 媽妈 寶宝 "
    "貝贝 儲储 縫缝 綠绿 藍蓝 紅红 黃黄 銀银 長长 圓圆 雙双 層层 計计 還还 問问 謝谢 煩烦 盞盏 "
    "動动 風风 涼凉 將将 為为 爲为 對对 會会 來来 處处 號号 樣样 變变 數数 櫃柜 櫥橱 牀床 鏡镜 "
    "頂顶 啟启 啓启 閉闭 滅灭 暫暂 聲声 溫温 淨净 陣阵 舊旧 畫画 總总 體体 網网 線线 節节 萬万 "
    "運运 顯显 創创 週周 禮礼 麼么 沒没 說说 別别 話话 讀读 聽听 靜静 寫写 鬧闹 鈴铃 記记 續续 "
    "約约 剛刚 發发 鋪铺 牆墙 雜杂 備备 嬰婴 戲戏 樂乐 鍵键 塵尘 乾干 頭头 盤盘 蘭兰 緊紧 閃闪 "
    "換换 轉转 條条 種种 組组 燭烛 顏颜 夠够 無无 壞坏 區区 務务 監监 攝摄 錄录 蓋盖 滿满 漸渐 "
    "減减 級级 環环 輪轮 輕轻 較较 強强 喚唤 "
)
"""Traditional characters of rooms, things and commands, each with its simplified one. A name with others is
understood only as it is written."""
SIMPLIFIED = str.maketrans({pair[0]: pair[1] for pair in PAIRS.split()})


def folded(text: str, language: str) -> str:
    """Full-width signs, spaces that do not break, typographic apostrophes; of Chinese, traditional characters
    too, since recognisers write the one kind for people who write the other."""
    plain = unicodedata.normalize("NFKC", text).translate(APOSTROPHES)
    return plain.translate(SIMPLIFIED) if is_chinese(language) else plain


def is_chinese(language: str) -> bool:
    return language.partition("-")[0].lower() == "zh"


def folded_sentences(data: Mapping[str, Any]) -> dict[str, Any]:
    """A language's sentences, lists and rules, with all that is to be matched as `folded` writes it."""
    parts = ("intents", "lists", "expansion_rules", "skip_words")
    return {**data, **{part: _folded(data[part]) for part in parts if part in data}}


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(SIMPLIFIED)
    if isinstance(value, list):
        return [_folded(each) for each in value]
    if isinstance(value, Mapping):  # a rule's name stands in braces within what is matched
        return {key.translate(SIMPLIFIED): _folded(each) for key, each in value.items()}
    return value
