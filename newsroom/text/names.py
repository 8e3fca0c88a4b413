"""Invented people, companies, institutions and the places they speak from."""

from __future__ import annotations

from functools import lru_cache
from random import Random

GIVEN = """Adinda Agung Ahsan Aldi Alya Ambar Anindya Ardi Arini Arum Aryo Bagas Banu Bayu Bima Bintang Bowo Cahya
Candra Cempaka Damar Danang Darma Dewanti Dian Dimas Dinar Dwipa Eka Elang Endah Fadil Fajrin Farhan Galang
Galuh Gading Gilang Gita Hanif Haryo Hesti Ilham Indira Intan Jaka Jati Kartika Kemala Kinanti Krisna Lanang
Laras Lestari Lintang Lukita Mahesa Maya Mega Melati Mirza Nadia Naufal Nawang Niken Nirmala Paksi Pandu
Panji Pramudya Pranata Puspa Raditya Rahayu Raka Ranti Ratih Rengga Reza Rinjani Rizky Sakti Salma Sekar
Satrio Seno Surya Tania Taruna Tirta Tunggul Utari Wahyu Wening Wira Wulan Yoga Yudha Zahra Zaki""".split()

FAMILY = """Abimanyu Adikara Adiwangsa Alamsyahputra Ambarita Anggakusuma Arkananta Atmaja Baskara Batubara-Siahan
Brajamusti Cakrawala Dananjaya Darmawangsa Dirgantara Endrawan Gandasari Ginanjar Hadikusumo Handaruni
Harimurtika Hutasora Jatmika Jayakarta Kadarisman Kartasasmita Kertanegara Kusumaningrat Lembayung Mahardika
Manungkalit Maheswari Margana Nagari Natadiningrat Nindyatama Notowidigdo Padmasari Palindungan Pamungkas
Paramita Pasaribuan Prabaswara Prasojo Pradipta Purbalaksa Ranggalawe Reksoprojo Rumangkang Sabdapalon
Salakan Samudra Sanjaya Sasmitaning Sastrawidjaja Simarangkir Soerjanegara Sudarsana Suryakencana Tanujiwa
Tirtayasa Tohjaya Umbara Waluyo Wangsadipura Wardhana-Putra Wicaksana Widyaningrum Wijayakrama Wirabuana
Wiratama Yudhapratama Yustisia""".split()

FIRM_HEAD = """Adhi Agra Alam Amerta Anugrah Arta Arutala Bahtera Bara Baruna Bentala Bhakti Bintang Borneo Buana Bumi
Cahaya Cakra Cendana Cipta Daya Delta Dharma Duta Eka Eksa Elang Energi Fajar Gading Gemilang Graha Hijau
Indra Intan Jagad Jaya Kalimaya Kencana Kirana Krida Lautan Lentera Logam Lumbung Maritim Mega Mitra Mustika
Naga Nirwana Niaga Nusa Pandan Panca Permata Pilar Pratama Puri Rajawali Rimba Sagara Samudra Sarana Selaras
Sentosa Sinar Sumber Surya Swara Tambang Tirta Tunas Utama Vista Wahana Wana Wijaya""".split()

FIRM_TAIL = """Abadi Agro Andalan Anggrek Bangun Batara Benua Berkarya Cemerlang Damai Digital Dinamika Energi Finansia Gas
Global Harapan Husada Investama Jasa Karsa Karya Khatulistiwa Kimia Konstruksi Lestari Logistik Makmur
Mandala Mandiri Media Mineral Mulia Multiguna Nikel Nusantara Pangan Perkasa Persada Petro Properti Raya
Sakti Sandang Sarana Sehat Sejahtera Serasi Sukses Telekom Terpadu Timur Toba Transport Tuah Unggul Wisesa""".split()

CITIES = """Jakarta Bandung Surabaya Semarang Yogyakarta Medan Makassar Denpasar Palembang Balikpapan Batam Pontianak
Manado Mataram Padang Pekanbaru Banjarmasin Samarinda Malang Solo Bogor Tangerang Bekasi Depok Cirebon Jambi
Kendari Kupang Ambon Jayapura""".split()

#: Nation, then the cities from which news of it is filed.
WORLD = """Korea_Selatan:Seoul,Busan Jepang:Tokyo,Osaka China:Beijing,Shanghai Singapura:Singapura
Malaysia:Kuala_Lumpur,Penang Thailand:Bangkok Filipina:Manila Vietnam:Hanoi India:New_Delhi,Mumbai
Australia:Canberra,Sydney Selandia_Baru:Wellington Amerika_Serikat:Washington,New_York Inggris:London Prancis:Paris
Jerman:Berlin,Frankfurt Belgia:Brussels Swiss:Jenewa,Zurich Rusia:Moskow Turki:Ankara,Istanbul Mesir:Kairo
Arab_Saudi:Riyadh Qatar:Doha Kenya:Nairobi Brasil:Brasilia Kanada:Ottawa Austria:Wina Italia:Roma,Milan
Spanyol:Madrid Norwegia:Oslo Swedia:Stockholm Kazakhstan:Astana""".split()

MINISTRIES = """Kementerian_Perniagaan_Luar Kementerian_Pangan_dan_Benih Kementerian_Tata_Energi Kementerian_Bina_Industri
Kementerian_Kas_Negara Kementerian_Angkutan_Laut Kementerian_Karya_Digital Kementerian_Kerja_Layak
Badan_Data_Nasional Badan_Cadangan_Pangan Badan_Kebijakan_Fiskal_Daerah Otoritas_Bursa_dan_Dana
Otoritas_Perbankan_Nusantara Dewan_Rakyat_Nusantara Komisi_Anggaran_Dewan Komisi_Persaingan_Sehat
Lembaga_Simpanan_Warga Bank_Induk_Nusantara Balai_Iklim_Nasional Lembaga_Kajian_Ruang_Fiskal""".split()

BROKERS = """Arutala_Sekuritas Beringin_Sekuritas Cendana_Kapital Delta_Riset_Investama Elang_Sekuritas
Galuh_Aset_Manajemen Kirana_Futures Lentera_Sekuritas Mandala_Kapital Nirwana_Research Pilar_Sekuritas
Rinjani_Futures Samudra_Aset Tirta_Sekuritas Wahana_Riset""".split()


def spaced(words: list[str]) -> tuple[str, ...]:
    """Word lists above write inner spaces as underscores."""
    return tuple(w.replace("_", " ") for w in words)


#: Nations with their cities.
NATIONS: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (nation, tuple(cities.split(","))) for nation, cities in (entry.split(":") for entry in spaced(WORLD))
)
INSTITUTIONS = spaced(MINISTRIES)
HOUSES = spaced(BROKERS)


def person(rng: Random) -> str:
    """A given and a family name."""
    return f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"


@lru_cache(maxsize=16384)
def ticker(head: str, tail: str) -> str:
    """Four letters, as a bourse would make them of a firm's two names."""
    consonants = [c for c in head[1:].upper() if c not in "AIUEO"]
    rest = [c for c in tail[1:].upper() if c not in "AIUEO"]
    return (head[0] + (consonants or ["A"])[0] + tail[0] + (rest or ["O"])[-1]).upper()


def firm(rng: Random) -> tuple[str, str]:
    """A firm's short name and its ticker: ``("Sagara Mineral", "SGML")``."""
    head, tail = rng.choice(FIRM_HEAD), rng.choice(FIRM_TAIL)
    return f"{head} {tail}", ticker(head, tail)
