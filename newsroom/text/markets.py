"""Bourse, currency and commodity stories, in Indonesian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

RULES: Mapping[str, Sequence[str]] = {
    "judul": [
        "Saham {emiten_p} ({kode}) {naik} {persen}, Ini [Pemicunya|Penyebabnya|Kata Analis]",
        "{emiten_p} ({kode}) [Bidik|Incar|Kejar] Pendapatan {rupiah} [Tahun Ini|di {tahun}|hingga Akhir Tahun]",
        "Asing [Lepas|Borong] {emiten_p} ({kode}) {rupiah} pada Perdagangan {hari}",
        "[Cermati|Intip|Simak] Rekomendasi Saham {kode}, {kode2}, dan {kode3} untuk {hari}",
        "Rupiah [Ditutup|Dibuka] {arah} ke {kurs} per Dolar AS, {hari}",
        "Harga {komoditas} {arah} {persen} [Tertekan|Ditopang|Menanti] [Stok|Permintaan|Data] {negara}",
        "Laba {emiten_p} ({kode}) {arah} {persen} [pada|di] {triwulan}",
        "{emiten_p} ({kode}) [Terbitkan|Siapkan] Obligasi {rupiah} untuk [Ekspansi|Bayar Utang|Modal Kerja]",
        "IHSG {arah} {persen}, {kode} dan {kode2} Jadi [Penopang|Pemberat]",
        "[Bagi|Tebar] Dividen {rupiah}, {emiten_p} ({kode}) [Pangkas|Tambah] Belanja Modal",
        "Net [Sell|Buy] Asing {rupiah}, Saham {kode} dan {kode2} Paling [Ramai|Diburu|Dilepas] {hari}",
    ],
    "lead": [
        "Saham {emiten} [ditutup|berakhir] {arah} {persen} ke level Rp {jumlah} per saham pada perdagangan {hari}.",
        "{emiten} [membukukan|mencatatkan|meraup] [pendapatan|penjualan] {rupiah} [pada|sepanjang] {triwulan}, {arah} {persen} secara tahunan.",
        "Nilai tukar rupiah {arah} {persen} ke posisi {kurs} per dolar Amerika Serikat (AS) [di pasar spot|menurut data antarbank], {hari}.",
        "Harga {komoditas} [kontrak|pengiriman] {bulan} {tahun} {arah} {persen} menjadi US$ {jumlah} per ton, {hari}.",
        "Indeks Harga Saham Gabungan (IHSG) {arah} {persen} atau {jumlah} poin ke level {indeks} pada [akhir|awal] perdagangan {hari}.",
        "{emiten} [berencana|bersiap] menerbitkan obligasi [berkelanjutan|rupiah|hijau] senilai {rupiah} dengan kupon [hingga|sekitar] {persen}.",
        "Investor asing [membukukan|mencatat] [net buy|net sell] {rupiah} di [seluruh pasar|pasar reguler], {hari}.",
    ],
    "isi": [
        "Saham {kode} [sempat|bahkan] menyentuh Rp {jumlah} sebelum [berbalik|ditutup] {arah} {persen}; volumenya {jumlah} lot.",
        "[Kapitalisasi pasar|Nilai pasar] {emiten_p} kini {rupiah}, [dibandingkan|naik dari] {rupiah} {sejak}.",
        "Sektor [tambang|keuangan|konsumer|properti|energi|teknologi] {arah} {persen}, [diikuti|disusul] sektor [infrastruktur|kesehatan|industri dasar|transportasi] {persen}.",
        "Sebanyak {jumlah} saham {naik}, {jumlah} saham {turun}, dan {jumlah} [lainnya stagnan|tidak berubah].",
        "Total [volume|transaksi] [perdagangan|bursa] mencapai {desimal} miliar saham [bernilai|dengan nilai] {rupiah}.",
        "Saham yang paling banyak [dilego|dikoleksi] asing adalah {emiten2} {rupiah}, [kemudian|lalu] {emiten3} {rupiah}.",
        "[Analis|Kepala riset] {rumah} {tokoh2} memasang target Rp {jumlah} untuk {kode} dengan [stop loss|batas rugi] Rp {jumlah}.",
        "Secara teknikal, {kode} [menguji|menembus|tertahan di] [resistance|support] {jumlah}, [sedangkan|sementara] indikator RSI di {kecil}.",
        "[Beban pokok|Beban bunga|Biaya umum] {arah} {persen} menjadi {rupiah}, sehingga [laba kotor|marjin] {arah} ke {persen}.",
        "Dari sisi neraca, total aset {emiten_p} {rupiah} [per|pada] akhir {bulan}, [dengan liabilitas|dan utang berbunga] {rupiah}.",
        "Segmen [ekspor|ritel|pertambangan|jasa|logistik] [menyumbang|berkontribusi] {persen} atau {rupiah} [terhadap|dari] penjualan {emiten_p}.",
        "Manajemen [mematok|mengalokasikan] belanja modal {rupiah}, yang [terserap|terpakai] {persen} hingga {bulan}.",
        "{emiten2} dan {emiten3} [masing-masing|secara berurutan] {naik} {persen} dan {persen} [pada sesi yang sama|{sejak}].",
        "Imbal hasil surat utang tenor {kecil} tahun {arah} ke {persen}, [selisihnya|jaraknya] dengan obligasi AS {persen}.",
        "Indeks dolar [bergerak|bertahan] di {desimal}, [usai|menjelang] [risalah|pidato|rapat] bank sentral {negara}.",
        "Di pasar [komoditas|berjangka], {komoditas} {arah} {persen}, [berlawanan|searah] dengan {komoditas} yang {arah} {persen}.",
        "Pemegang saham [menyetujui|mengesahkan] dividen Rp {jumlah} per saham, [setara|atau] {persen} dari laba {tahun}.",
        "{rumah} [mempertahankan|menaikkan|menurunkan] rekomendasi [beli|tahan|jual] dengan [valuasi|rasio harga terhadap laba] {desimal} kali.",
        "Pabrik {emiten_p} di {kota2} [berkapasitas|mampu mengolah] {jumlah} ton, [utilisasinya|keterisiannya] {persen}.",
        "[Dana|Hasil] obligasi {emiten_p} dipakai {persen} untuk [refinancing|pelunasan utang] dan sisanya [modal kerja|akuisisi di {kota2}].",
        "[Bursa|Otoritas] [memantau|mengawasi] gerak saham {kode2} yang {naik} {persen} [tanpa|tanpa disertai] informasi [baru|material].",
        "Persediaan {komoditas} di gudang {negara} {arah} {jumlah} ton, [terendah|tertinggi] [dalam|selama] {kecil} [bulan|tahun].",
        "Kontrak [baru|dengan pembeli {negara}] senilai {dolar} [diteken|berlaku] {waktu} untuk {jumlah} ton per bulan.",
    ],
    "subjudul": ["Rekomendasi saham", "Prospek {triwulan}", "Kinerja keuangan {emiten_p}", "Sentimen dari {negara}"],
    "tag": ["IHSG", "saham {kode}", "{emiten_p}", "rupiah", "{komoditas}", "obligasi", "dividen", "emiten"],
    "gambar": [
        "Karyawan melintas di depan layar pergerakan harga di {kota2}, {hari}",
        "Suasana perdagangan di {kota2}",
        "Aktivitas pabrik {emiten_p} di {kota2}",
    ],
}
